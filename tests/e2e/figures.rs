//! What the page counts: metrics with what they were and are, the lag of groups over time, the clients' own log.

use crate::Test;
use crate::harness::{Lab, Outcome, Page, View};
use serde_json::json;
use thirtyfour::prelude::*;

pub const TESTS: &[Test] = &[
    (
        "figures::metrics_tell_what_they_were_and_are",
        metrics_tell_what_they_were_and_are,
    ),
    ("figures::lag_is_drawn_and_written", lag_is_drawn_and_written),
    (
        "figures::the_clients_log_has_its_filter",
        the_clients_log_has_its_filter,
    ),
];

/// Clicks the first visible element that a selector finds.
async fn click(page: &Page, selector: &str) -> Outcome {
    page.until(
        &format!("something to click at {selector}"),
        &format!("return document.querySelector({}) !== null", json!(selector)),
    )
    .await?;
    page.js(&format!("document.querySelector({}).click()", json!(selector)))
        .await?;
    Ok(())
}

/// Opens the inspector of the process that the stage calls so.
async fn inspect(page: &Page, label: &str) -> Outcome {
    let target = format!("[aria-label^={}]", json!(label));
    let element = page.driver.find(By::Css(&target)).await?;
    page.driver
        .execute(
            "arguments[0].dispatchEvent(new MouseEvent('dblclick', { bubbles: true }))",
            [element.to_json()?],
        )
        .await?;
    page.until(
        "the metrics",
        "return document.querySelectorAll('.metrics .tbl tr').length > 5",
    )
    .await
}

/// A figure of a metric: its column 1 (was), 2 (now) or 3 (change).
async fn cell(page: &Page, metric: &str, column: u8) -> Outcome<String> {
    let script = format!(
        "const row = [...document.querySelectorAll('.metrics tr')].find(r => r.cells[0].innerText === {}); \
         return row?.cells[{column}].innerText ?? 'no such metric'",
        json!(metric)
    );
    Ok(page.js(&script).await?.as_str().unwrap_or_default().to_owned())
}

fn metrics_tell_what_they_were_and_are(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        inspect(page, "Producer web").await?;
        let before: i64 = cell(page, "record-send-total", 2).await?.replace(',', "").parse()?;
        assert!(before > 0, "the producer has sent {before} records");
        // A hundred steps: records go out, and the figure is compared with the one before the last of them.
        page.js("const next = document.querySelector('[aria-label^=\"Step to the next\"]'); for (let i = 0; i < 300; i++) next.click()")
            .await?;
        page.until(
            "another record to be sent",
            &format!(
                "const row = [...document.querySelectorAll('.metrics tr')].find(r => r.cells[0].innerText === 'record-send-total'); \
                 return Number(row.cells[2].innerText.replace(/,/g, '')) > {before}"
            ),
        )
        .await?;
        press_key(page, Key::Home).await?;
        page.until(
            "what was before the leap",
            "const row = [...document.querySelectorAll('.metrics tr')].find(r => r.cells[0].innerText === 'record-send-total'); \
             return row.classList.contains('moved') && row.cells[3].innerText.startsWith('\\u2212')",
        )
        .await?;
        assert_eq!(cell(page, "record-send-total", 2).await?, "0");
        page.js("[...document.querySelectorAll('.metrics th button')].find(b => b.innerText === 'record-error-total').focus()")
            .await?;
        page.until(
            "the explanation of the metric in focus",
            "const about = document.querySelector('.metrics .about').innerText; \
             return about.startsWith('record-error-total') && about.length > 40",
        )
        .await?;
        page.shot("metrics").await?;
        Ok(())
    })
}

async fn press_key(page: &Page, key: Key) -> Outcome {
    let body = page.driver.find(By::Css("body")).await?;
    body.send_keys(key + "").await?;
    Ok(())
}

fn lag_is_drawn_and_written(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        inspect(page, "Consumer w1").await?;
        let label = page
            .js("return document.querySelector('.lagrow svg').ariaLabel ?? document.querySelector('.lagrow svg').getAttribute('aria-label')")
            .await?;
        let label = label.as_str().unwrap_or_default().to_owned();
        assert!(label.starts_with("Lag over time") && label.contains("at most"), "{label:?}");
        let rows = page
            .js("return document.querySelectorAll('.lagchart .tbl tbody tr').length")
            .await?;
        assert!(rows.as_u64() > Some(1), "the table of the chart has {rows} rows");
        click(page, ".lagchart figcaption button").await?;
        page.until(
            "a row for each partition",
            "return [...document.querySelectorAll('.lagname b')].some(b => b.innerText.includes('/'))",
        )
        .await?;
        page.shot("lag").await?;
        Ok(())
    })
}

fn the_clients_log_has_its_filter(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        click(page, "#tab-log").await?;
        page.js("[...document.querySelectorAll('.filters button')].find(b => b.innerText === 'Client log').click()")
            .await?;
        page.until(
            "the lines that the clients logged",
            "const rows = [...document.querySelectorAll('.ev[title]')]; \
             return rows.length > 3 && rows.every(r => /^(INFO|WARN|ERROR) /.test(r.title)) && \
             rows.some(r => r.title.includes('[Consumer clientId=w1, groupId=') && \
             r.querySelector('.what').innerText === 'INFO (Re-)joining group')",
        )
        .await?;
        page.shot("client-log").await?;
        Ok(())
    })
}
