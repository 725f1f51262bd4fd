//! Open to a network: only with TLS, only with a login.

use std::net::Ipv4Addr;
use std::sync::Arc;

use crate::common::own_folder;
use crate::fake;
use hmi::{Options, StartError, TlsFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

#[test]
fn without_tls_or_a_login_only_this_computer_is_served() {
    let folder = own_folder();
    let machine = Arc::new(fake::Fake::new(&folder));
    let mut options = Options::loopback(folder.join("hmi"));
    options.address = (Ipv4Addr::UNSPECIFIED, 0).into();
    let refused = hmi::start(options.clone(), machine.clone()).expect_err("no TLS");
    assert!(matches!(refused, StartError::NeedsTls(_)));
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let files = TlsFiles {
        certificate: folder.join("none.pem"),
        key: folder.join("none.key"),
    };
    options.tls = Some(files);
    let refused = hmi::start(options.clone(), machine.clone()).expect_err("looking without a login");
    assert!(matches!(refused, StartError::NeedsLogin(_)));
    options.open_view = false;
    let refused = hmi::start(options, machine).expect_err("no such file");
    assert!(refused.to_string().contains("none.pem"), "{refused}");
    std::fs::remove_dir_all(folder).expect("the folder goes");
}

#[test]
fn over_tls_looking_needs_a_login_and_the_cookie_is_secure() {
    let folder = own_folder();
    let machine = Arc::new(fake::Fake::new(&folder));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let files = TlsFiles {
        certificate: folder.join("own.pem"),
        key: folder.join("own.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).expect("a file");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("a file");
    let mut options = Options::loopback(folder.join("hmi"));
    options.address.set_port(0);
    options.tls = Some(files);
    options.open_view = false;
    let server = hmi::start(options, machine).expect("the server starts");
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let ask = |request: String| {
        let connector = TlsConnector::from(Arc::new(config.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(server.address())
                .await
                .expect("it listens");
            let name = ServerName::try_from("localhost").expect("a name");
            let mut stream = connector.connect(name, stream).await.expect("a handshake");
            stream.write_all(request.as_bytes()).await.expect("it reads");
            let mut answer = Vec::new();
            // Some servers close without a last word; what came is what counts.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        })
    };
    let line = ask("GET /api/v1/line HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_owned());
    assert!(
        line.starts_with("HTTP/1.1 401") && line.contains("login_needed"),
        "{line}"
    );
    assert!(line.contains("strict-transport-security"), "{line}");
    let body = serde_json::json!({"user": "admin", "password": server.first_password()}).to_string();
    let login = ask(format!(
        "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\norigin: https://localhost\r\nconnection: \
         close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(
        login.starts_with("HTTP/1.1 200") && login.contains("; Secure"),
        "{login}"
    );
    drop(server);
    std::fs::remove_dir_all(folder).expect("the folder goes");
}
