//! The scenario's text. It applies as it is typed; with an error the run keeps the last good text and the message says
//! where, what and what would be right.

use gloo::timers::callback::Timeout;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use crate::lab::language::words::{self, Part};
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::session::Problem;
use crate::ui::state::*;
use crate::ui::texts::t;

/// How long the typing must rest before the text is tried.
const REST_MS: u32 = 250;

#[derive(Properties, PartialEq)]
pub struct EditorProps {
    pub scene: Scene,
}

/// The tab: the text twice, once coloured and once to be typed into, exactly one above the other.
#[component]
pub fn Editor(props: &EditorProps) -> Html {
    let bus = use_bus();
    let typed = use_state(|| None::<String>);
    let timer = use_mut_ref(|| None::<Timeout>);
    {
        // Once the run has a new text (typed, or a command added a line), the run's text is what stands here.
        let typed = typed.setter();
        use_effect_with((props.scene.text.clone(), props.scene.problems.clone()), move |_| {
            typed.set(None)
        });
    }
    let text = (*typed).clone().unwrap_or_else(|| bus.run.borrow().draft().to_owned());
    let oninput = {
        let (send, typed) = (bus.send.clone(), typed.setter());
        Callback::from(move |e: InputEvent| {
            let text = e.target_unchecked_into::<HtmlTextAreaElement>().value();
            typed.set(Some(text.clone()));
            let send = send.clone();
            timer.replace(Some(Timeout::new(REST_MS, move || send.emit(Msg::Edit(text)))));
        })
    };
    let problems = &props.scene.problems;
    let lines = text.split('\n').count();
    let now = props.scene.view.now_us;
    html! {
        <>
            <div class="toolrow"><span class="muted">{ (t().text_size)(&format::count(text.chars().count() as u64), lines) }</span><span class="grow"></span>
                if problems.is_empty() { <span class="chip safe"><Icon name="check" />{ t().applied }</span> }
                else { <span class="chip bad"><Icon name="x" />{ (t().errors)(problems.len()) }</span> }
                <button type="button" class="btn ghost icon" aria-label={t().save_file} title={t().save_file} onclick={bus.on(Msg::Download)}><Icon name="file" /></button>
            </div>
            <div class="ed scroll">
                <div class="ed-text">
                    <div class="ed-lines" aria-hidden="true">
                        { for text.split('\n').enumerate().map(|(i, line)| {
                            let problem = problems.iter().find(|p| p.line == i + 1);
                            html! { <div class={classes!("ln", problem.is_some().then_some("err"))} key={i}><i>{ i + 1 }</i><span>{ coloured(line, problem) }{ "\u{200b}" }</span></div> }
                        }) }
                    </div>
                    <textarea class="ed-input" aria-label={t().scenario_text} aria-invalid={(!problems.is_empty()).to_string()} aria-describedby="ed-problems" spellcheck="false" autocapitalize="off" autocomplete="off" value={text.clone()} {oninput} />
                </div>
            </div>
            <div class="ed-problems" id="ed-problems" role={(!problems.is_empty()).then_some("alert")}>
                { for problems.iter().take(4).map(|p| html! { <p class="msg"><b>{ (t().line_column)(p.line, p.column) }</b>{ " " }<span>{ &p.text }</span></p> }) }
                if props.scene.draft { <p class="muted">{ (t().last_good)(&format::moment(now)) }</p> }
            </div>
        </>
    }
}

/// A line with its verb, times, options and comment in colour, and the wrong word underlined.
fn coloured(line: &str, problem: Option<&Problem>) -> Html {
    if let Some(p) = problem {
        let chars: Vec<char> = line.chars().collect();
        let from = p.column.saturating_sub(1).min(chars.len());
        let to = (from + p.length.max(1)).min(chars.len());
        let part = |a: usize, b: usize| chars[a..b].iter().collect::<String>();
        return html! { <>{ part(0, from) }<u>{ part(from, to) }</u>{ part(to, chars.len()) }</> };
    }
    let (code, comment) = split_comment(line);
    let mut verb_seen = false;
    let words = split_keep(code).into_iter().map(|word| {
        let class = if word.trim().is_empty() {
            ""
        } else if word == "at" || word == "after" || word.starts_with(|c: char| c.is_ascii_digit()) {
            "n"
        } else if word.starts_with('"') {
            "s"
        } else if !verb_seen {
            verb_seen = true;
            verb_class(word)
        } else if word.contains('=') {
            "s"
        } else {
            ""
        };
        html! { <span {class}>{ word }</span> }
    });
    let words: Html = words.collect();
    html! { <>{ words }<span class="c">{ comment }</span></> }
}

/// Verbs that break something stand out.
fn verb_class(word: &str) -> &'static str {
    match words::find(word).map(|verb| verb.part) {
        Some(Part::Processes | Part::Network | Part::Disk | Part::OneMessage) => "f",
        Some(_) => "k",
        None => "",
    }
}

/// The code and the comment of a line; a `#` inside quotes is no comment.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut escaped = false;
    for (i, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '#' if !quoted => return line.split_at(i),
            _ => {}
        }
    }
    (line, "")
}

/// Words and the blanks between them, in order; a quoted text is one word.
fn split_keep(code: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut blank) = (0, false, None::<bool>);
    for (i, c) in code.char_indices() {
        let is_blank = c == ' ' && !quoted;
        if blank.is_some_and(|b| b != is_blank) {
            parts.push(&code[start..i]);
            start = i;
        }
        if c == '"' {
            quoted = !quoted;
        }
        blank = Some(is_blank);
    }
    parts.push(&code[start..]);
    parts
}
