//! What a visitor does: watches, breaks, rewinds, forks, undoes, edits, shares and comes back.

use crate::Test;
use crate::harness::{Lab, Outcome, Page, View};
use serde_json::{Value, json};
use thirtyfour::prelude::*;

pub const TESTS: &[Test] = &[
    ("flows::the_opening_page_is_alive", the_opening_page_is_alive),
    (
        "flows::a_crash_by_menu_moves_leadership",
        a_crash_by_menu_moves_leadership,
    ),
    ("flows::time_goes_both_ways", time_goes_both_ways),
    (
        "flows::a_wrong_command_says_what_would_be_right",
        a_wrong_command_says_what_would_be_right,
    ),
    ("flows::a_record_is_lost_and_says_why", a_record_is_lost_and_says_why),
    ("flows::the_past_can_be_changed", the_past_can_be_changed),
    ("flows::the_text_can_be_edited", the_text_can_be_edited),
    ("flows::a_record_is_produced_by_form", a_record_is_produced_by_form),
    ("flows::a_link_opens_the_same_scenario", a_link_opens_the_same_scenario),
    ("flows::a_damaged_link_opens_nothing", a_damaged_link_opens_nothing),
    ("flows::work_survives_a_reload", work_survives_a_reload),
    ("flows::the_sheet_opens_on_a_phone", the_sheet_opens_on_a_phone),
    (
        "flows::every_tab_can_be_used_by_everybody",
        every_tab_can_be_used_by_everybody,
    ),
];

/// A laptop whose owner has nothing against motion.
const MOVING: View = View {
    still: false,
    ..View::DESK
};

/// Clicks the visible button, tab or menu entry that is called so, or that issues that command.
pub async fn press(page: &Page, name: &str) -> Outcome {
    let find = format!(
        "const name = {}; \
         const hits = [...document.querySelectorAll('button, [role=tab]')].filter(b => b.offsetParent !== null && \
         ((b.ariaLabel ?? '').startsWith(name) || b.innerText.trim().startsWith(name) || \
         b.querySelector('.cmd')?.innerText === name)); \
         return hits.at(-1) ?? null;",
        json!(name)
    );
    let hit = page.driver.execute(find, []).await?;
    let button = hit.element().map_err(|_| format!("the page has no button {name:?}"))?;
    button.click().await?;
    Ok(())
}

/// Types a line into the command line above the stage and sends it.
async fn command(page: &Page, line: &str) -> Outcome {
    let input = page.driver.find(By::Css(".stagebar .cmdline input")).await?;
    input.send_keys(line).await?;
    input.send_keys(Key::Enter + "").await?;
    Ok(())
}

/// The scenario's text, as the tab shows it.
async fn scenario(page: &Page) -> Outcome<String> {
    press(page, "Scenario").await?;
    let text = page.js("return document.querySelector('.ed-input').value").await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}

/// Virtual time, in microseconds.
async fn now_us(page: &Page) -> Outcome<u64> {
    let digits = page
        .js("return document.querySelector('.clock').innerText.replace(/[^0-9]/g, '')")
        .await?;
    Ok(digits.as_str().unwrap_or_default().parse()?)
}

/// A figure of the ledger's strip.
async fn figure(page: &Page, word: &str) -> Outcome<u64> {
    let script = format!(
        "return [...document.querySelectorAll('.ledger li')].map(li => li.innerText) \
         .find(text => text.includes({}))?.replace(/[^0-9]/g, '') ?? ''",
        json!(word)
    );
    let digits = page.js(&script).await?;
    Ok(digits.as_str().unwrap_or_default().parse()?)
}

/// Everything that the stage says.
async fn stage(page: &Page) -> Outcome<Value> {
    page.js("return [...document.querySelectorAll('.host, .client')].map(e => e.ariaLabel + e.innerText)")
        .await
}

/// Plays at the highest speed until a script returns true, then pauses.
async fn play_until(page: &Page, what: &str, script: &str) -> Outcome {
    page.js("const s = document.querySelector('.speed input'); s.value = s.max; \
         s.dispatchEvent(new InputEvent('input', { bubbles: true }))")
        .await?;
    if page
        .js("return document.querySelector('.play').ariaLabel.startsWith('Play')")
        .await?
        == true
    {
        press(page, "Play").await?;
    }
    page.until(what, script).await?;
    press(page, "Pause").await
}

fn the_opening_page_is_alive(lab: &Lab) -> Outcome {
    lab.visit(MOVING, "", async |page| {
        let (before, then) = (figure(page, "committed").await?, now_us(page).await?);
        assert!(before > 0, "nothing was committed when the page opened");
        page.until(
            "another record to be committed",
            &format!(
                "return Number([...document.querySelectorAll('.ledger li')].map(li => li.innerText) \
                 .find(text => text.includes('committed')).replace(/[^0-9]/g, '')) > {before}"
            ),
        )
        .await?;
        assert!(now_us(page).await? > then);
        assert!(figure(page, "delivered").await? > 0);
        let labels = stage(page).await?.to_string();
        for part in ["Broker b1, alive", "Producer web", "Consumer w1"] {
            assert!(labels.contains(part), "the stage lacks {part:?}: {labels}");
        }
        Ok(())
    })
}

fn a_crash_by_menu_moves_leadership(lab: &Lab) -> Outcome {
    lab.visit(MOVING, "", async |page| {
        press(page, "Pause").await?;
        press(page, "Inject fault").await?;
        press(page, "crash b1").await?;
        let crashed = now_us(page).await?;
        page.until(
            "b1 to be down",
            "return document.querySelector('.host[data-node=b1]').ariaLabel === 'Broker b1, crashed'",
        )
        .await?;
        let echo = page
            .js("return document.querySelector('.stagebar .cmdline input').placeholder")
            .await?;
        assert_eq!(echo, "crash b1", "the command that a click issued is not shown");
        assert!(scenario(page).await?.contains("crash b1"));
        play_until(
            page,
            "another broker to lead partition 0",
            "return document.querySelector('[aria-label^=\"P0 on b2, leader\"]') !== null",
        )
        .await?;
        let passed = now_us(page).await? - crashed;
        assert!(
            passed >= 5_000_000,
            "fenced after {passed} µs, before any session could end"
        );
        page.shot("leadership-moved").await?;
        Ok(())
    })
}

fn time_goes_both_ways(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let (at, then) = (now_us(page).await?, stage(page).await?);
        press(page, "Step to the next").await?;
        let next = now_us(page).await?;
        assert!(next > at, "a step leads from {at} to {next}");
        for _ in 0..20 {
            press(page, "Step to the next").await?;
        }
        let (far, there) = (now_us(page).await?, stage(page).await?);
        for _ in 0..21 {
            press(page, "Step back").await?;
        }
        assert!(now_us(page).await? <= at);
        assert_eq!(stage(page).await?, then, "the past is not what it was");
        press(page, "To the start").await?;
        assert_eq!(now_us(page).await?, 0);
        let body = page.driver.find(By::Css("body")).await?;
        body.send_keys(Key::End + "").await?;
        page.until(
            "the end of what was explored",
            &format!("return Number(document.querySelector('.clock').innerText.replace(/[^0-9]/g, '')) === {far}"),
        )
        .await?;
        assert_eq!(stage(page).await?, there, "the end is not what it was");
        Ok(())
    })
}

fn a_wrong_command_says_what_would_be_right(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let before = scenario(page).await?;
        command(page, "crsh b1").await?;
        let said = page.text(".toast[role=alert]").await?;
        assert!(said.contains("crsh") && said.contains("crash"), "said {said:?}");
        command(page, "crash b9").await?;
        page.until(
            "the name to be refused",
            "return [...document.querySelectorAll('.toast')].some(t => t.innerText.includes('b9'))",
        )
        .await?;
        assert_eq!(scenario(page).await?, before, "a refused line is in the text");
        Ok(())
    })
}

fn a_record_is_lost_and_says_why(lab: &Lab) -> Outcome {
    lab.visit(MOVING, "", async |page| {
        press(page, "A small cluster").await?;
        press(page, "acks=1").await?;
        play_until(
            page,
            "a record to be lost",
            "return [...document.querySelectorAll('.ledger li')].some(li => /^\\s*1\\s+lost/.test(li.innerText))",
        )
        .await?;
        page.until(
            "the ghost of the record",
            "return document.querySelector('.rec.is-lost') !== null",
        )
        .await?;
        press(page, "Log").await?;
        page.js("[...document.querySelectorAll('.ev.bad')].at(-1).click()")
            .await?;
        page.until(
            "a chain of causes",
            "return document.querySelectorAll('.why li').length >= 2",
        )
        .await?;
        page.shot("lost").await?;
        Ok(())
    })
}

fn the_past_can_be_changed(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let before = scenario(page).await?;
        for _ in 0..5 {
            press(page, "Step back").await?;
        }
        command(page, "crash b2").await?;
        page.until(
            "b2 to be down",
            "return document.querySelector('.host.is-crashed[data-node=b2]') !== null",
        )
        .await?;
        press(page, "Branch:").await?;
        press(page, "main").await?;
        page.until(
            "main to have b2",
            "return document.querySelector('.host.is-alive[data-node=b2]') !== null",
        )
        .await?;
        assert_eq!(scenario(page).await?, before, "main has changed");
        press(page, "Branch:").await?;
        press(page, "crash b2").await?;
        assert!(scenario(page).await?.contains("crash b2"));
        press(page, "Undo").await?;
        page.until(
            "the crash to be undone",
            "return document.querySelector('.host.is-alive[data-node=b2]') !== null",
        )
        .await?;
        assert_eq!(scenario(page).await?, before);
        Ok(())
    })
}

fn the_text_can_be_edited(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        press(page, "Scenario").await?;
        let write = async |from: &str, to: &str| {
            page.js(&format!(
                "const e = document.querySelector('.ed-input'); e.value = e.value.replace({}, {}); \
                 e.dispatchEvent(new InputEvent('input', {{ bubbles: true }}))",
                json!(from),
                json!(to)
            ))
            .await
        };
        write("producer web", "brokr b4\nproducer web").await?;
        page.until(
            "the error",
            "return document.querySelector('#ed-problems')?.innerText.includes('brokr') === true",
        )
        .await?;
        let hosts = "return document.querySelectorAll('.host').length";
        assert_eq!(page.js(hosts).await?, 3, "the run does not keep the last good text");
        write("brokr", "broker").await?;
        page.until(
            "the fourth broker",
            "return document.querySelectorAll('.host').length === 4",
        )
        .await?;
        assert_eq!(page.text("#ed-problems").await?, "");
        Ok(())
    })
}

fn a_record_is_produced_by_form(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        press(page, "Console").await?;
        press(page, "Produce").await?;
        page.until(
            "the line in the console",
            "return document.querySelector('.term').innerText.includes('produce web loan_request key=kim \"300\"')",
        )
        .await?;
        assert!(
            scenario(page)
                .await?
                .contains("produce web loan_request key=kim \"300\"")
        );
        Ok(())
    })
}

fn a_link_opens_the_same_scenario(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        command(page, "crash b3").await?;
        let text = scenario(page).await?;
        press(page, "Copy link").await?;
        page.until("the link in the address", "return location.hash.length > 20")
            .await?;
        let hash = page.js("return location.hash.slice(1)").await?;
        let hash = hash.as_str().unwrap_or_default().to_owned();
        page.js("localStorage.clear()").await?;
        page.driver.goto("about:blank").await?;
        page.goto(&hash).await?;
        page.ready().await?;
        assert_eq!(scenario(page).await?, text);
        Ok(())
    })
}

fn a_damaged_link_opens_nothing(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "1.not-a-scenario", async |page| {
        let said = page.text("[role=dialog]").await?;
        assert!(said.contains("cannot be opened"), "said {said:?}");
        assert_eq!(page.js("return document.querySelectorAll('.host').length").await?, 0);
        let violations = page.axe().await?;
        assert!(violations.is_empty(), "{violations:#?}");
        press(page, "Open the sandbox").await?;
        page.until("the sandbox", "return document.querySelectorAll('.host').length === 3")
            .await?;
        Ok(())
    })
}

fn work_survives_a_reload(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        command(page, "freeze b2").await?;
        let (text, at) = (scenario(page).await?, now_us(page).await?);
        assert!(text.contains("freeze b2"));
        page.driver.refresh().await?;
        page.ready().await?;
        assert_eq!(scenario(page).await?, text);
        assert_eq!(now_us(page).await?, at, "the moment is another");
        page.until(
            "b2 to be frozen",
            "return document.querySelector('.host.is-paused[data-node=b2]') !== null",
        )
        .await?;
        Ok(())
    })
}

fn the_sheet_opens_on_a_phone(lab: &Lab) -> Outcome {
    lab.visit(View::PHONE, "", async |page| {
        let wide = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(page.js(wide).await?, true, "the page is wider than a phone");
        press(page, "Open the details").await?;
        page.until("the sheet", "return document.querySelector('.panel.open') !== null")
            .await?;
        press(page, "Close the details").await?;
        page.until("no sheet", "return document.querySelector('.panel.open') === null")
            .await?;
        Ok(())
    })
}

fn every_tab_can_be_used_by_everybody(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        command(page, "crash b1").await?;
        command(page, "crsh").await?;
        for tab in ["Log", "Inspector", "Console", "Scenario", "Ledger"] {
            page.look_as(View::DESK).await?;
            press(page, tab).await?;
            for view in View::all() {
                page.look_as(view).await?;
                let violations = page.axe().await?;
                assert!(violations.is_empty(), "{tab} in {view:?}: {violations:#?}");
                let theme = if view.dark { "dark" } else { "light" };
                page.shot(&format!("tab-{tab}-{}-{theme}", view.width)).await?;
            }
        }
        Ok(())
    })
}
