//! A real browser, without a window, driven over its DevTools protocol: NUL-ended JSON through two
//! pipes, which a shell puts where the browser looks for them.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Longest wait for an answer or an event.
const WAIT_MAX: Duration = Duration::from_secs(60);

const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
];

/// A browser with one tab. It ends with the value.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    events: VecDeque<Value>,
    session: Option<String>,
    next: u64,
    directory: TempDir,
}

impl Browser {
    pub fn start() -> Browser {
        let program = chromium();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let profile = format!("--user-data-dir={}", directory.path().join("profile").display());
        let mut child = Command::new("sh")
            .arg("-c")
            .arg("exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1")
            .arg("sh")
            .arg(program)
            .args(FLAGS)
            .arg(profile)
            // It is killed, and then takes nothing of its own away.
            .env("TMPDIR", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a browser that starts");
        let to = child.stdin.take().expect("a pipe to the browser");
        let mut answers = BufReader::new(child.stdout.take().expect("a pipe from the browser"));
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|n| n > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let (events, session) = (VecDeque::new(), None);
        let mut browser = Browser { child, to, from, events, session, next: 1, directory };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let tab = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let tab = json!({ "targetId": tab["targetId"], "flatten": true });
        let attached = self.call("Target.attachToTarget", tab);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Sends a command and waits for its result.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.next;
        self.next += 1;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).expect("a command is JSON");
        bytes.push(0);
        self.to.write_all(&bytes).expect("a browser that listens");
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            let message = self.receive(deadline, method);
            if message["id"] == json!(id) {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    fn receive(&mut self, deadline: Instant, what: &str) -> Value {
        let left = deadline.saturating_duration_since(Instant::now());
        self.from.recv_timeout(left).unwrap_or_else(|e| panic!("no answer to {what}: {e}"))
    }

    /// Loads the page and waits until it is there.
    pub fn open(&mut self, html: &str) {
        let path = self.directory.path().join("page.html");
        std::fs::write(&path, html).expect("a page that can be written");
        self.events.clear();
        self.call("Page.navigate", json!({ "url": format!("file://{}", path.display()) }));
        let deadline = Instant::now() + WAIT_MAX;
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let message = self.receive(deadline, "Page.loadEventFired");
            self.events.push_back(message);
        }
    }

    /// The value of an expression in the page.
    pub fn eval(&mut self, expression: &str) -> Value {
        let asked = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until it is true, looking once per frame.
    pub fn until(&mut self, expression: &str) {
        let look = format!(
            "new Promise((done) => {{ const look = () => ({expression}) ? done(true) \
             : requestAnimationFrame(look); look(); }})"
        );
        assert_eq!(self.eval(&look), json!(true), "{expression}");
    }

    /// As somebody presses it; `text` is what the key types, where it types something.
    pub fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    pub fn move_to(&mut self, x: f64, y: f64) {
        let event = json!({ "type": "mouseMoved", "x": x, "y": y });
        self.call("Input.dispatchMouseEvent", event);
    }

    pub fn click(&mut self, x: f64, y: f64) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    pub fn tap(&mut self, x: f64, y: f64) {
        let touched = json!([{ "x": x, "y": y }]);
        for (kind, points) in [("touchStart", touched), ("touchEnd", json!([]))] {
            let event = json!({ "type": kind, "touchPoints": points });
            self.call("Input.dispatchTouchEvent", event);
        }
    }

    /// As a screen of this size; a phone's has a finger.
    pub fn size(&mut self, width: u32, height: u32, phone: bool) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone,
        });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone }));
    }

    /// What the reader's system asks for: `dark` or `light`; `print` or `screen`.
    pub fn media(&mut self, scheme: &str, media: &str) {
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": media, "features": scheme }));
    }

    /// The least contrast of any text with what lies behind it, where that is, and of how many;
    /// every section is opened for it.
    pub fn contrast(&mut self) -> (f64, String, u64) {
        let told = self.eval(CONTRAST);
        let (least, at) = (told[0].as_f64().expect("a ratio"), told[1].to_string());
        (least, at, told[2].as_u64().expect("a count"))
    }

    /// What is wider than the screen, and does not scroll by itself; every section is opened.
    pub fn sticking_out(&mut self, width: u32) -> Vec<String> {
        self.eval("document.querySelectorAll('details').forEach((d) => { d.open = true; })");
        let wide = self.eval(&format!(
            "[...document.querySelectorAll('body *')].filter((e) => \
             !e.closest('.scroll, pre, .sql') && \
             e.getClientRects().length && getComputedStyle(e).position !== 'absolute' && \
             e.getBoundingClientRect().right > {width} + 0.5) \
             .map((e) => e.tagName + '.' + e.className)"
        ));
        let mut wide: Vec<String> = serde_json::from_value(wide).expect("names");
        let whole = self.eval("document.documentElement.scrollWidth");
        if whole != json!(width) {
            wide.push(format!("the page: {whole}"));
        }
        wide
    }

    /// Errors and warnings of scripts and of the browser since the page was opened, and requests
    /// that are not for the page itself.
    pub fn complaints(&mut self) -> Vec<String> {
        // Whatever is on the way is here once the browser has answered.
        self.eval("1");
        let told = |event: &Value| match event["method"].as_str()? {
            "Runtime.exceptionThrown" | "Log.entryAdded" => Some(event["params"].to_string()),
            "Runtime.consoleAPICalled" => Some(event["params"]["args"].to_string()),
            "Network.requestWillBeSent" => {
                let url = event["params"]["request"]["url"].as_str()?;
                (!url.starts_with("file://") || !url.ends_with("/page.html"))
                    .then(|| format!("asked for {url}"))
            }
            "Page.javascriptDialogOpening" => Some(event["params"].to_string()),
            _ => None,
        };
        self.events.iter().filter_map(told).collect()
    }
}

/// Every text against what lies behind it: the least contrast, and where.
const CONTRAST: &str = r#"(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const light = (rgb) => {
    const part = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(rgb[0]) + 0.7152 * part(rgb[1]) + 0.0722 * part(rgb[2]);
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) {
      layers.push(rgba(getComputedStyle(e).backgroundColor));
    }
    // A stall's shade may lie behind any text of an axis.
    if (element.closest(".stage")) {
      layers.push(rgba(getComputedStyle(document.querySelector(".shade")).backgroundColor));
      layers.push(rgba(getComputedStyle(document.body).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [1, 1, 1]);
  };
  document.querySelectorAll("details").forEach((d) => { d.open = true; });
  let least = [99, ""];
  let count = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const below = behind(element);
    const text = over(rgba(element.closest("svg") ? style.fill : style.color), below);
    const [a, b] = [light(text), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    count += 1;
    if (ratio < least[0]) least = [ratio, element.className + ": " + node.data.slice(0, 60)];
  }
  return [...least, count];
})()"#;

impl Drop for Browser {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.child.id() as i32);
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join("chromium"));
    found
        .into_iter()
        .find(|program| program.is_file())
        .expect("a program called chromium on PATH: ci/setup installs it")
}
