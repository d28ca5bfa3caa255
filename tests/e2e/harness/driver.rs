//! chromedriver: one process for all tests, one session with a fresh profile for each.

use super::Outcome;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};

/// Without a window or a graphics card, without what a browser does on its own over the network, and with every other
/// host than this machine unknown.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--lang=en-US",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

pub struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    pub fn start() -> Outcome<Driver> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver does not start ({error}): `make test` installs it or says how"))?;
        let Some(output) = process.stdout.take() else {
            return Err("chromedriver has no output".into());
        };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            line.split_once("started successfully on port ")
                .map(|(_, port)| port.trim_end_matches('.').to_string())
        });
        // Read on, for a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let mut driver = Driver {
            process,
            url: String::new(),
        };
        driver.url = format!(
            "http://127.0.0.1:{}",
            port.ok_or("chromedriver ended before it named its port")?
        );
        // `driver` ends the process when it is dropped, also if no port was named.
        Ok(driver)
    }

    /// A browser with a fresh profile.
    pub async fn session(&self) -> Outcome<WebDriver> {
        let mut wanted = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            wanted.add_arg(argument)?;
        }
        if running_as_root() {
            // Chromium has no sandbox for root.
            wanted.set_no_sandbox()?;
        }
        if let Some(browser) = ["chromium", "chromium-browser", "google-chrome"]
            .into_iter()
            .find_map(on_path)
        {
            wanted.set_binary(&browser)?;
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        Ok(WebDriver::new(&self.url, wanted).await?)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to end.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn running_as_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn on_path(program: &str) -> Option<String> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())?
        .to_str()
        .map(Into::into)
}
