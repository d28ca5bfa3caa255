//! What holds for the page whatever it shows: it loads from any sub-path, asks no other host, obeys a strict policy, is
//! small, can be used by everybody, and says so when it cannot start.

use crate::Test;
use crate::harness::{Flaw, Lab, Outcome, Served, View};
use brokerlab::ordered::OrderedMap;
use serde_json::Value;
use std::io::Write;

pub const TESTS: &[Test] = &[
    ("page::loads_from_a_sub_path", loads_from_a_sub_path),
    ("page::asks_no_other_host", asks_no_other_host),
    ("page::its_policy_is_strict", its_policy_is_strict),
    ("page::is_small", is_small),
    ("page::can_be_used_by_everybody", can_be_used_by_everybody),
    (
        "page::the_chosen_theme_is_there_before_the_program",
        the_chosen_theme_is_there_before_the_program,
    ),
    (
        "page::says_that_the_program_is_missing",
        says_that_the_program_is_missing,
    ),
    ("page::refuses_another_program", refuses_another_program),
];

/// What should be downloaded first at most, in bytes after brotli: not reached yet.
const TARGET: usize = 400_000;

/// What is downloaded first may not grow beyond this until the target is reached.
const CEILING: usize = 880_000;

/// The second part of the program, which comes while the page already runs.
const REST: &str = "_rest.wasm";

fn loads_from_a_sub_path(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let title = page.driver.title().await?;
        assert!(title.contains("Brokerlab"), "the title is {title:?}");
        let missing: Vec<Served> = page
            .served()
            .into_iter()
            .filter(|served| served.status != 200)
            .collect();
        assert!(
            missing.is_empty(),
            "the site lacks {:?}",
            missing.iter().map(|served| &served.path).collect::<Vec<_>>()
        );
        let served = page.served();
        assert!(
            served.iter().any(|served| served.path.ends_with(".wasm")),
            "no wasm was asked for"
        );
        page.shot("page").await?;
        Ok(())
    })
}

fn asks_no_other_host(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let names = page
            .js("return performance.getEntriesByType('resource').map(entry => entry.name)")
            .await?;
        let names: Vec<String> = serde_json::from_value(names)?;
        assert!(names.len() >= 3, "the browser tells of too few requests: {names:?}");
        let strangers: Vec<_> = names
            .iter()
            .filter(|name| !name.starts_with(page.url()) && !name.starts_with("data:"))
            .collect();
        assert!(
            strangers.is_empty(),
            "asked outside of the site's folder: {strangers:?}"
        );
        Ok(())
    })
}

fn its_policy_is_strict(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        let policy = page
            .js("return document.querySelector('meta[http-equiv=\"Content-Security-Policy\"]')?.content ?? ''")
            .await?;
        let policy: OrderedMap<&str, Vec<&str>> = policy
            .as_str()
            .unwrap_or_default()
            .split(';')
            .filter_map(|part| {
                let mut words = part.split_whitespace();
                words.next().map(|name| (name, words.collect()))
            })
            .collect();
        assert_eq!(policy.get("default-src"), Some(&vec!["'none'"]));
        assert_eq!(policy.get("script-src"), Some(&vec!["'self'", "'wasm-unsafe-eval'"]));
        assert_eq!(policy.get("base-uri"), Some(&vec!["'none'"]));
        assert_eq!(policy.get("form-action"), Some(&vec!["'none'"]));
        for (name, sources) in &policy {
            for source in sources {
                let fine = matches!(*source, "'none'" | "'self'" | "'wasm-unsafe-eval'")
                    || (*name == "img-src" && *source == "data:");
                assert!(fine, "{name} allows {source}");
            }
        }
        // Whoever writes an inline script gets a refusal by the policy, which is a complaint and fails every test; an
        // attribute or an element that nothing has run yet shows here.
        let inline = page
            .js(
                "return [...document.querySelectorAll('script:not([src]), style')].map(e => e.outerHTML).concat( \
                 [...document.querySelectorAll('*')].flatMap(e => [...e.attributes]) \
                 .filter(a => /^on/.test(a.name)).map(a => a.name))",
            )
            .await?;
        assert_eq!(inline, Value::Array(vec![]), "inline scripts or styles");
        Ok(())
    })
}

fn is_small(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        page.until("the rest of the program", "return document.documentElement.hasAttribute('data-whole')")
            .await?;
        let (rest, first): (Vec<Served>, Vec<Served>) =
            page.served().into_iter().partition(|served| served.path.ends_with(REST));
        assert!(!rest.is_empty(), "the program came whole: nothing comes later");
        for served in rest {
            println!("{:>8} bytes after brotli come later: {}", brotli_size(&served.body)?, served.path);
        }
        let mut total = 0;
        for served in first {
            let size = brotli_size(&served.body)?;
            println!(
                "{size:>8} bytes after brotli, {:>8} before: {}",
                served.body.len(),
                served.path
            );
            total += size;
        }
        println!("{total:>8} bytes in all; the target is {TARGET}");
        assert!(
            total <= CEILING,
            "the first download is {total} bytes after brotli and has grown: at most {CEILING}, and the target is {TARGET}"
        );
        Ok(())
    })
}

/// The size of bytes as a static host sends them: brotli at its best.
fn brotli_size(bytes: &[u8]) -> Outcome<usize> {
    let mut packed = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 22);
    packed.write_all(bytes)?;
    Ok(packed.into_inner().len())
}

fn can_be_used_by_everybody(lab: &Lab) -> Outcome {
    lab.visit(View::DESK, "", async |page| {
        for view in View::all() {
            page.look_as(view).await?;
            let violations = page.axe().await?;
            assert!(violations.is_empty(), "{view:?}: {violations:#?}");
        }
        Ok(())
    })
}

fn the_chosen_theme_is_there_before_the_program(lab: &Lab) -> Outcome {
    lab.visit_flawed(Flaw::NoWasm, async |page| {
        for theme in ["dark", "light"] {
            page.js(&format!("localStorage.setItem('brokerlab.theme', '{theme}')"))
                .await?;
            page.driver.refresh().await?;
            assert_eq!(page.js("return document.documentElement.dataset.theme").await?, theme);
        }
        Ok(())
    })
}

fn says_that_the_program_is_missing(lab: &Lab) -> Outcome {
    lab.visit_flawed(Flaw::NoWasm, async |page| {
        page.until(
            "the failure to show",
            "return document.querySelector('main.shell [role=alert]') !== null",
        )
        .await?;
        let said = page.text("main.shell [role=alert]").await?;
        assert!(said.contains("could not start"), "said {said:?}");
        let violations = page.axe().await?;
        assert!(violations.is_empty(), "{violations:#?}");
        Ok(())
    })
}

fn refuses_another_program(lab: &Lab) -> Outcome {
    lab.visit_flawed(Flaw::AlteredWasm, async |page| {
        page.until(
            "the failure to show",
            "return document.querySelector('main.shell [role=alert]') !== null",
        )
        .await?;
        let complaints = page.complaints().await?.join("\n");
        assert!(
            complaints.contains("integrity"),
            "the browser complained only of: {complaints}"
        );
        Ok(())
    })
}
