//! The stage while much is on its way: it goes on, and says how smoothly. No time is asserted, as a machine may be busy:
//! `make bench` shows the figure beside its target.

use crate::Test;
use crate::harness::{Lab, Outcome, Page, View};
use brokerlab::lab::run::Run;
use brokerlab::ordered::SortSmall;
use brokerlab::share::encode;
use thirtyfour::prelude::*;

pub const TESTS: &[Test] = &[(
    "frames::two_thousand_messages_in_flight",
    two_thousand_messages_in_flight,
)];

/// Messages that are on their way at least while frames are counted.
const IN_FLIGHT: usize = 2_000;
/// The target of a frame: 60 Hz, with what a clock is off.
const FRAME_MS: f64 = 17.5;

/// Eight producers whose links are slow from the first second on, and who do not wait for answers.
fn scenario() -> String {
    let mut text = String::from("lab 1\nseed 5\ncontroller c1\nbroker b1..b3\ntopic t partitions=6 replicas=3\n");
    let mut each = |line: fn(u32) -> String| (1..=8).for_each(|n| text += &line(n));
    each(|n| {
        format!(
            "producer p{n} acks=1 linger.ms=0 enable.idempotence=false max.in.flight.requests.per.connection=1000\n"
        )
    });
    each(|n| format!("at 100ms produce p{n} t \"hello\"\n"));
    each(|n| format!("at 1s start p{n} t rate=200/s\n"));
    text + "at 1s delay p1..p8 <-> b1..b3 30s\n"
}

fn two_thousand_messages_in_flight(lab: &Lab) -> Outcome {
    let moving = View {
        still: false,
        ..View::DESK
    };
    let text = scenario();
    lab.visit(moving, &encode(&text), async |page| {
        let body = page.driver.find(By::Css("body")).await?;
        // From a millisecond a second to half a second a second.
        for _ in 0..4 {
            body.send_keys("]").await?;
        }
        page.until(
            "more than three seconds",
            "return Number(document.querySelector('.clock').innerText.replace(/[^0-9]/g, '')) > 3.2e6",
        )
        .await?;
        for _ in 0..4 {
            body.send_keys("[").await?;
        }
        let at = now_us(page).await?;
        let mut run = Run::open(&text);
        run.seek_us(at);
        let flying = run.air().len();
        assert!(
            flying >= IN_FLIGHT,
            "{flying} messages are on their way at {at} µs: {:?}",
            run.errors()
        );
        let times = page
            .js(
                "return new Promise(done => { const all = []; const tick = now => { all.push(now); \
                 all.length < 181 ? requestAnimationFrame(tick) : done(all) }; requestAnimationFrame(tick) })",
            )
            .await?;
        let times: Vec<f64> = serde_json::from_value(times)?;
        let mut spans: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        spans.sort_small_by(f64::total_cmp);
        let (middle, slow) = (spans[spans.len() / 2], spans[spans.len() * 95 / 100]);
        let verdict = if middle <= FRAME_MS { "met" } else { "missed" };
        println!(
            "{flying} messages in flight: a frame takes {middle:.1} ms in the middle, {slow:.1} ms at 95 % (target {FRAME_MS} ms: {verdict})"
        );
        let later = now_us(page).await?;
        assert!(later > at, "the run stands at {at} µs while frames are drawn");
        Ok(())
    })
}

/// Virtual time, in microseconds.
async fn now_us(page: &Page) -> Outcome<u64> {
    let script = "return document.querySelector('.clock').innerText.replace(/[^0-9]/g, '')";
    let digits = page.js(script).await?;
    Ok(digits.as_str().unwrap_or_default().parse()?)
}
