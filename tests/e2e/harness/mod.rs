//! What an end-to-end test needs: the site on a port of this machine, a browser steered through chromedriver, a page
//! that is loaded, and everything that the browser complained about.

mod driver;
mod server;

pub use server::{Flaw, Served};

use driver::Driver;
use serde_json::{Value, json};
use server::Server;
use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use thirtyfour::prelude::*;

/// What a test ends with: nothing, or what went wrong.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How long a page may take until the program has replaced the shell; generous, since CI's machines are slow.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A notice of Chromium's about the preload link that Trunk writes for the wasm module: the link alone checks nothing.
/// `static/boot.js` takes the integrity from it and has the fetch check it (`page::refuses_another_program`).
const NOTICE: &str = "`integrity` attribute is currently ignored for preload destinations";

/// The size of the page and what the person asked the system for.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// CSS pixels.
    pub width: u32,
    /// CSS pixels.
    pub height: u32,
    /// Whether the system asks for the dark theme.
    pub dark: bool,
    /// Whether the system asks for reduced motion.
    pub still: bool,
}

impl View {
    /// A laptop, light.
    pub const DESK: View = View {
        width: 1440,
        height: 900,
        dark: false,
        still: true,
    };
    /// A phone, light.
    pub const PHONE: View = View {
        width: 390,
        height: 844,
        dark: false,
        still: true,
    };

    /// The same, dark.
    pub fn dark(self) -> View {
        View { dark: true, ..self }
    }

    /// The views in which every screen has to stand: both sizes, both themes.
    pub fn all() -> [View; 4] {
        [View::DESK, View::DESK.dark(), View::PHONE, View::PHONE.dark()]
    }

    fn name(self) -> String {
        format!("{}-{}", self.width, if self.dark { "dark" } else { "light" })
    }
}

/// The servers that all tests share: the site's, and chromedriver.
pub struct Lab {
    server: Server,
    driver: Driver,
}

impl Lab {
    /// Serves the built site in `dist` and starts chromedriver.
    pub fn start(dist: &Path) -> Outcome<Lab> {
        Ok(Lab {
            server: Server::start(dist)?,
            driver: Driver::start()?,
        })
    }

    /// Opens the page with `fragment` (without its `#`; empty for none), waits until the program runs, plays `story`,
    /// and fails if the story fails or the browser complained of anything.
    pub fn visit(&self, view: View, fragment: &str, story: impl AsyncFnOnce(&Page) -> Outcome) -> Outcome {
        self.session(view, fragment, Flaw::None, async |page| {
            page.ready().await?;
            story(page).await?;
            page.no_complaints().await
        })
    }

    /// Opens the page from a server with a flaw. Waits for nothing, and lets the browser complain.
    pub fn visit_flawed(&self, flaw: Flaw, story: impl AsyncFnOnce(&Page) -> Outcome) -> Outcome {
        self.session(View::DESK, "", flaw, story)
    }

    fn session(&self, view: View, fragment: &str, flaw: Flaw, story: impl AsyncFnOnce(&Page) -> Outcome) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let site = self.server.site(flaw);
            let page = Page {
                driver: self.driver.session().await?,
                site,
                view,
            };
            let outcome = page.play(fragment, story).await;
            page.driver.quit().await?;
            outcome
        })
    }
}

/// Awaits a story and turns a failed assertion into an error, so that a picture is taken and the browser is closed.
async fn caught(story: impl Future<Output = Outcome>) -> Outcome {
    let mut story = pin!(story);
    // After a panic the story is not polled again, so it does not matter in what state that left it.
    let poll = poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| story.as_mut().poll(context))) {
            Ok(poll) => poll,
            Err(panic) => Poll::Ready(Err(panic_message(panic.as_ref()).into())),
        },
    );
    poll.await
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message.clone(),
        (_, Some(message)) => (*message).to_string(),
        _ => "panicked without a message".to_string(),
    }
}

/// One browser session with the page in it. `driver` is there for whatever has no shorter word here.
pub struct Page {
    pub driver: WebDriver,
    site: server::Site,
    view: View,
}

impl Page {
    async fn play(&self, fragment: &str, story: impl AsyncFnOnce(&Page) -> Outcome) -> Outcome {
        self.look_as(self.view).await?;
        self.goto(fragment).await?;
        let outcome = caught(story(self)).await;
        if let Err(error) = outcome {
            let shot = self.shot(&format!("failed-{}", self.site.name())).await?;
            let complaints = self.complaints().await?.join("\n  ");
            return Err(format!("{error}\n  seen: {}\n  console: {complaints}", shot.display()).into());
        }
        Ok(())
    }

    /// Loads the page with a fragment; with another fragment than the present one alone, a browser does not reload.
    pub async fn goto(&self, fragment: &str) -> Outcome {
        let hash = if fragment.is_empty() {
            String::new()
        } else {
            format!("#{fragment}")
        };
        Ok(self.driver.goto(format!("{}{hash}", self.site.url())).await?)
    }

    /// Changes size, theme and motion.
    pub async fn look_as(&self, view: View) -> Outcome {
        let cdp = self.driver.cdp();
        let metrics =
            json!({ "width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": view.width < 600 });
        cdp.send_raw("Emulation.setDeviceMetricsOverride", metrics).await?;
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": if view.dark { "dark" } else { "light" } },
            { "name": "prefers-reduced-motion", "value": if view.still { "reduce" } else { "no-preference" } },
        ]});
        cdp.send_raw("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    /// Waits until the program has replaced the shell.
    pub async fn ready(&self) -> Outcome {
        self.until(
            "the program to replace the shell",
            "return document.querySelector('main.shell') === null",
        )
        .await
    }

    /// Waits until a script returns true; `what` completes "waited in vain for".
    pub async fn until(&self, what: &str, script: &str) -> Outcome {
        let start = Instant::now();
        while self.js(script).await? != Value::Bool(true) {
            if start.elapsed() > READY_WITHIN {
                return Err(format!("waited in vain for {what}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// What a script returns.
    pub async fn js(&self, script: &str) -> Outcome<Value> {
        Ok(self.driver.execute(script, []).await?.json().clone())
    }

    /// The visible text of the one element that a selector names.
    pub async fn text(&self, selector: &str) -> Outcome<String> {
        Ok(self.driver.find(By::Css(selector)).await?.text().await?)
    }

    /// The address of the page's folder.
    pub fn url(&self) -> &str {
        self.site.url()
    }

    /// Every answer of the site's server to this session.
    pub fn served(&self) -> Vec<Served> {
        self.site.served()
    }

    /// What the browser has complained of since it was last asked: errors, warnings, refusals by the policy.
    pub async fn complaints(&self) -> Outcome<Vec<String>> {
        let log = self.driver.browser_log().await?;
        Ok(log
            .into_iter()
            .filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING") && !entry.message.contains(NOTICE))
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect())
    }

    async fn no_complaints(&self) -> Outcome {
        let complaints = self.complaints().await?;
        if complaints.is_empty() {
            Ok(())
        } else {
            Err(complaints.join("\n  ").into())
        }
    }

    /// Writes a picture of the page to target/shots and returns its path.
    pub async fn shot(&self, name: &str) -> Outcome<PathBuf> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("shots");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}-{}.png", self.view.name()));
        self.driver.screenshot(&path).await?;
        Ok(path)
    }

    /// What axe-core finds wrong with the page as it stands: one line for each violation. Empty is right.
    pub async fn axe(&self) -> Outcome<Vec<String>> {
        let path = std::env::var("BROKERLAB_AXE").map_err(|_| "BROKERLAB_AXE names no axe.min.js; `make test` does")?;
        let source = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        // Through the driver, which the page's policy does not bind.
        self.driver.execute(source, []).await?;
        let run = "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v => \
             `${v.id}: ${v.help}: ${v.nodes.map(n => n.target.join(' ')).join(', ')}`)), e => done([`axe failed: ${e}`]));";
        Ok(self.driver.execute_async(run, []).await?.convert()?)
    }
}
