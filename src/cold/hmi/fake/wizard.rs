//! A wizard of two questions. Any thread.

use hmi::machine::{Answer, Refusal, RefusalKind};
use hmi::shapes::{
    Calibration, CalibrationAnswer, CalibrationItem, CalibrationKind, CalibrationStart, CalibrationStep, Needs, Text,
};

/// Where it is.
#[derive(Default)]
pub(super) struct Wizard {
    items: Vec<CalibrationItem>,
    step: Option<CalibrationStep>,
}

fn not_now(place: &str) -> Refusal {
    Refusal::new(
        RefusalKind::NotNow,
        "not_now",
        "标定向导现在不在等这个回答",
        "the wizard does not wait for this",
        place,
    )
}

impl Wizard {
    pub(super) fn status(&self) -> Calibration {
        Calibration {
            items: self.items.clone(),
            wizard: self.step.clone(),
        }
    }

    pub(super) fn start(&mut self, start: &CalibrationStart) -> Answer<Calibration> {
        if self.step.as_ref().is_some_and(|step| !step.done) {
            return Err(not_now("wizard"));
        }
        self.step = Some(CalibrationStep {
            kind: start.kind,
            step: 1,
            steps: 2,
            text: Text::new(
                "请在 1 道放一颗试珠，然后确认",
                "put a test pearl into lane 1, then confirm",
            ),
            needs: Needs::Confirmation,
            unit: String::new(),
            progress: 0.0,
            done: false,
            stored: false,
        });
        Ok(self.status())
    }

    pub(super) fn answer(&mut self, by: &str, now_ms: u64, answer: &CalibrationAnswer) -> Answer<Calibration> {
        let step = self.step.as_mut().filter(|step| !step.done && step.step == answer.step);
        let step = step.ok_or_else(|| not_now("step"))?;
        if step.step == 1 {
            step.step = 2;
            step.text = Text::new("用尺量得的距离是多少？", "what does the ruler say of the distance?");
            step.needs = Needs::Number;
            step.unit = "mm".to_owned();
            step.progress = 0.5;
            return Ok(self.status());
        }
        let number = answer.number.ok_or_else(|| not_now("number"))?;
        step.done = true;
        step.stored = true;
        step.progress = 1.0;
        step.needs = Needs::Nothing;
        step.text = Text::new("已保存", "stored");
        self.items.push(item(step.kind, by, now_ms, number));
        Ok(self.status())
    }

    pub(super) fn cancel(&mut self) -> Answer<Calibration> {
        self.step.take().ok_or_else(|| not_now("wizard"))?;
        Ok(self.status())
    }
}

fn item(kind: CalibrationKind, by: &str, now_ms: u64, number: f64) -> CalibrationItem {
    CalibrationItem {
        kind,
        subject: Text::new("1 道", "lane 1"),
        at_ms: Some(now_ms),
        by: by.to_owned(),
        result: format!("{number:.2} mm"),
        residual: "0.04 mm".to_owned(),
        good: true,
    }
}
