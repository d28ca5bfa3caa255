//! The ways of looking at a run: lanes, the table, the stage larger and smaller, the smallest cure, a figure elsewhere.

use crate::Test;
use crate::flows::press;
use crate::harness::{Lab, Outcome, Page, View};
use thirtyfour::prelude::*;

pub const TESTS: &[Test] = &[
    ("looks::lanes_draw_what_was_sent", lanes_draw_what_was_sent),
    (
        "looks::the_smallest_cure_opens_a_branch",
        the_smallest_cure_opens_a_branch,
    ),
    (
        "looks::the_table_lists_every_partition",
        the_table_lists_every_partition,
    ),
    ("looks::the_stage_grows_and_shrinks", the_stage_grows_and_shrinks),
    (
        "looks::what_is_not_concerned_steps_back",
        what_is_not_concerned_steps_back,
    ),
    ("looks::a_far_moment_is_travelled_to", a_far_moment_is_travelled_to),
    ("looks::messages_fly_on_a_phone", messages_fly_on_a_phone),
    (
        "looks::a_figure_shows_the_run_and_nothing_else",
        a_figure_shows_the_run_and_nothing_else,
    ),
    (
        "looks::every_look_can_be_used_by_everybody",
        every_look_can_be_used_by_everybody,
    ),
];

/// Opens the scenario in which acks=1 loses a record, at the moment after the loss, and asks why.
async fn ask_about_the_loss(page: &Page) -> Outcome {
    press(page, "A small cluster").await?;
    press(page, "acks=1").await?;
    page.driver.find(By::Css(".playhead")).await?.focus().await?;
    for _ in 0..24 {
        page.driver.active_element().await?.send_keys(Key::PageUp + "").await?;
    }
    page.until(
        "the loss",
        "return document.querySelector('.ledger li.bad')?.innerText.includes('lost') === true",
    )
    .await?;
    press(page, "Log").await?;
    page.until(
        "its line in the log",
        "return document.querySelector('.ev.bad') !== null",
    )
    .await?;
    page.js("[...document.querySelectorAll('.ev.bad')].at(-1).click()")
        .await?;
    Ok(())
}

fn lanes_draw_what_was_sent(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        press(page, "Lanes").await?;
        page.until("arrows", "return document.querySelectorAll('.crossing').length > 20")
            .await?;
        let heads = page.js("return document.querySelectorAll('.lane-head').length").await?;
        assert_eq!(heads, 7, "three brokers, a controller, a producer, two consumers");
        page.js("document.querySelector('.crossing').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
            .await?;
        page.until(
            "what led to it to be lit",
            "return document.querySelectorAll('.space.lights .crossing.lit').length > 0",
        )
        .await?;
        press(page, "Only the chain").await?;
        page.until(
            "nothing else",
            "return document.querySelector('.crossing:not(.lit)') === null",
        )
        .await
    })
}

fn the_smallest_cure_opens_a_branch(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        ask_about_the_loss(page).await?;
        page.until("a cure", "return document.querySelector('.cure ins') !== null").await?;
        let diff = page
            .js("return [document.querySelector('.cure del').innerText, document.querySelector('.cure ins').innerText].join()")
            .await?;
        assert_eq!(diff, "acks=1,acks=all");
        press(page, "Open that branch").await?;
        page.until(
            "the cured branch, at the same moment, with nothing lost",
            "return document.querySelector('.branch-btn').innerText.includes('acks=all') && \
             document.querySelector('.clock').innerText.includes('24.999') && \
             document.querySelector('.ledger li.bad') === null",
        )
        .await
    })
}

fn the_table_lists_every_partition(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        press(page, "Table").await?;
        let rows = page
            .js("return document.querySelectorAll('.parts tbody tr').length")
            .await?;
        assert_eq!(rows, 3);
        press(page, "Kafka’s own topics").await?;
        page.until(
            "the fifty partitions of __consumer_offsets",
            "return document.querySelectorAll('.parts tbody tr').length === 53",
        )
        .await?;
        press(page, "loan_request-1").await?;
        page.until(
            "the partition in the inspector",
            "return document.querySelector('.insp')?.innerText.includes('loan_request') === true",
        )
        .await
    })
}

fn the_stage_grows_and_shrinks(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let press_key = async |key: &str| -> Outcome {
            page.driver.find(By::Css("body")).await?.send_keys(key).await?;
            Ok(())
        };
        press_key("+").await?;
        press_key("+").await?;
        page.until(
            "a larger stage",
            "return document.querySelector('.zoom-now')?.innerText === '144 %'",
        )
        .await?;
        // What is clicked is what is seen there.
        let record = page
            .driver
            .find(By::Css("[data-node='b1/loan_request/0'] .rec"))
            .await?;
        record.click().await?;
        page.until(
            "the record to be picked",
            "return document.querySelector('.rec.sel, .rec[aria-selected=true]') !== null",
        )
        .await?;
        press_key("0").await?;
        page.until("the usual size", "return document.querySelector('.zoom-now') === null")
            .await?;
        press_key("-").await?;
        page.until(
            "a smaller stage",
            "return document.querySelector('.zoom-now')?.innerText === '83 %'",
        )
        .await
    })
}

fn what_is_not_concerned_steps_back(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let dim = "return [...document.querySelectorAll('.client.dim')].map(e => e.dataset.node).join()";
        assert_eq!(page.js(dim).await?, "");
        page.driver.find(By::Css("[data-node=w1] h3")).await?.click().await?;
        page.until(
            "the others to step back",
            "return document.querySelector('[data-node=w2].dim') !== null",
        )
        .await?;
        let shown = page
            .js("return document.querySelector('[data-node=w1].dim') === null")
            .await?;
        assert_eq!(shown, true);
        page.driver
            .find(By::Css("body"))
            .await?
            .send_keys(Key::Escape + "")
            .await?;
        page.until("all of them back", "return document.querySelector('.dim') === null")
            .await
    })
}

fn a_far_moment_is_travelled_to(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        page.driver.find(By::Css(".playhead")).await?.focus().await?;
        // Each key asks for a second more while the one before is still on its way.
        for _ in 0..8 {
            page.driver.active_element().await?.send_keys(Key::PageUp + "").await?;
        }
        page.until("arrival", "return document.querySelector('.travelling') === null")
            .await?;
        let clock = page.text(".clock").await?;
        assert!(clock.contains("10.000"), "{clock}");
        Ok(())
    })
}

fn messages_fly_on_a_phone(lab: &Lab) -> Outcome {
    let moving = View {
        still: false,
        ..View::PHONE
    };
    lab.visit(moving, "", async |page| {
        page.until(
            "a drawn message",
            "const c = document.querySelector('canvas.air'); if (!c.width) return false; \
             return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(n => n > 0)",
        )
        .await
    })
}

fn a_figure_shows_the_run_and_nothing_else(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        page.js("localStorage.setItem('brokerlab.work', 'lab 1\\ntitle \"mine\"\\n')").await?;
        page.driver.goto(format!("{}?figure&at=3s&still", page.url())).await?;
        page.ready().await?;
        page.until("the figure", "return document.querySelector('.figure-head h1') !== null").await?;
        let seen = page
            .js("return [document.querySelector('.panel'), document.querySelector('.stagebar')].every(e => e === null) && \
                 document.querySelectorAll('.host').length === 3 && document.querySelector('.clock').innerText.includes('3.000')")
            .await?;
        assert_eq!(seen, true);
        let way = page.js("return document.querySelector('.figure-head a').href").await?;
        assert!(way.as_str().is_some_and(|way| way.contains("at=3s") && !way.contains("figure")), "{way}");
        let kept = page.js("return localStorage.getItem('brokerlab.work')").await?;
        assert!(kept.as_str().is_some_and(|kept| kept.contains("mine")), "{kept}");
        let axe = page.axe().await?;
        assert!(axe.is_empty(), "{axe:#?}");
        Ok(())
    })
}

fn every_look_can_be_used_by_everybody(lab: &Lab) -> Outcome {
    for view in View::all() {
        lab.visit(view, "", async |page| {
            for _ in 0..3 {
                page.driver.find(By::Css("body")).await?.send_keys("v").await?;
                let axe = page.axe().await?;
                assert!(axe.is_empty(), "{view:?}: {axe:#?}");
                let wide = page
                    .js("return document.documentElement.scrollWidth <= innerWidth")
                    .await?;
                assert_eq!(wide, true, "{view:?}: the page scrolls sideways");
            }
            Ok(())
        })?;
    }
    Ok(())
}
