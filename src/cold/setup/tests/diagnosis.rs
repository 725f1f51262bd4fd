//! What a diagnosis says of sound and of ailing cells.

use setup::weigh::synthetic::Plan;
use setup::weigh::{Recording, Verdict, default_checks, diagnose};

fn plan() -> Plan {
    Plan {
        seconds: 9.0,
        lines: vec![(23.4, 6.0), (46.8, 3.0), (60.0, 2.0)],
        line_wander_hz: 0.0,
        ..Plan::default()
    }
}

#[test]
fn a_sound_cell_is_good_and_its_lines_are_named() {
    let recording = plan().record();
    let found = diagnose(&recording, &default_checks(&recording));
    assert!(
        found.findings.iter().all(|finding| finding.verdict == Verdict::Good),
        "{:?}",
        found.findings
    );
    let named = |hz: f64| {
        let line = found.lines.iter().find(|l| (l.line.hz - hz).abs() < 0.3);
        line.unwrap_or_else(|| panic!("no line at {hz}: {:?}", found.lines))
            .name
            .clone()
    };
    assert_eq!(named(23.4), "belt or drive");
    assert!(named(46.8).starts_with("2 x 23.4"), "{:?}", found.lines);
    assert_eq!(named(60.0), "mains, 1 x 60 Hz");
    for svg in [found.spectrum_svg(), found.passage_svg(&recording)] {
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains("polyline"));
    }
}

#[test]
fn ailing_converters_are_bad() {
    let sound = plan().record();
    let checks = default_checks(&sound);
    let verdict = |samples: Vec<i32>, word: &str| {
        let found = diagnose(
            &Recording {
                samples,
                ..sound.clone()
            },
            &checks,
        );
        let finding = found.findings.iter().find(|f| f.text.contains(word));
        assert_eq!(finding.map(|f| f.verdict), Some(Verdict::Bad), "{:?}", found.findings);
        assert!(found.spectrum_svg().ends_with("</svg>\n"));
    };
    verdict(vec![240_000; 20_000], "stood still");
    verdict(vec![(1 << 23) - 1; 20_000], "saturated");
    verdict(Vec::new(), "pearl");
}
