//! The canvas above the stage: messages in flight, drawn along the wires by virtual time.

use crate::ordered::{OrderedMap, OrderedSet};

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlElement};

use super::dots::Dots;
use crate::lab::view::{FlightClass, FlightView};
use crate::ui::session::Session;
use crate::ui::texts::t;

/// A box on the stage, measured: left, top, right, bottom in pixels of the field.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Place {
    fn middle(&self) -> f64 {
        (self.top + self.bottom) / 2.0
    }
}

/// A cubic curve from one box to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve(pub [(f64, f64); 4]);

impl Curve {
    /// Between the facing sides of two boxes; boxes one above the other are joined by an arc at their right, in the `air`
    /// pixels that are free there.
    pub fn between(a: &Place, b: &Place, air: f64) -> Curve {
        if a.right <= b.left || b.right <= a.left {
            let (x1, x2) = if a.right <= b.left {
                (a.right, b.left)
            } else {
                (a.left, b.right)
            };
            let middle = (x1 + x2) / 2.0;
            return Curve([
                (x1, a.middle()),
                (middle, a.middle()),
                (middle, b.middle()),
                (x2, b.middle()),
            ]);
        }
        let (ya, yb) = (a.top + 14.0, b.top + 14.0);
        let far = (yb - ya).abs() > (a.bottom - a.top) * 1.6;
        let (reach, lean) = (if far { air } else { air / 2.0 }, if yb > ya { 12.0 } else { -12.0 });
        Curve([
            (a.right, ya),
            (a.right + reach, ya + lean),
            (b.right + reach, yb - lean),
            (b.right, yb),
        ])
    }

    /// The point at a share of the way (0 to 1).
    pub fn at(&self, t: f64) -> (f64, f64) {
        let [p0, p1, p2, p3] = self.0;
        let u = 1.0 - t;
        let mix =
            |a: f64, b: f64, c: f64, d: f64| u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d;
        (mix(p0.0, p1.0, p2.0, p3.0), mix(p0.1, p1.1, p2.1, p3.1))
    }

    /// The path in SVG's words.
    pub fn path(&self) -> String {
        let [a, b, c, d] = self.0;
        format!(
            "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1
        )
    }

    fn back(&self) -> Curve {
        let [a, b, c, d] = self.0;
        Curve([d, c, b, a])
    }
}

/// How much is left of a message that is not concerned.
const FAINT: f64 = 0.3;

/// The theme's colours, as the canvas wants them.
#[derive(Default)]
pub struct Colours {
    pub accent: String,
    pub open: String,
    pub lead: String,
    pub read: String,
    pub bad: String,
    pub ground: String,
    pub ink: String,
    pub faint: String,
}

/// The canvas and what it needs: where the boxes are, which curves join them.
#[derive(Default)]
pub struct Air {
    canvas: Option<HtmlCanvasElement>,
    context: Option<CanvasRenderingContext2d>,
    size: (f64, f64),
    colours: Colours,
    dots: Option<Dots>,
    /// Boxes by node name.
    places: OrderedMap<String, Place>,
    /// Curves by the names of the two processes that they join.
    curves: OrderedMap<String, OrderedMap<String, Curve>>,
    /// Where each message was drawn last.
    drawn: Vec<(u64, f64, f64)>,
    /// The message under the pointer.
    pub hover: Option<u64>,
    pub selected: Option<u64>,
    /// Processes that stay in front; messages of the others are drawn faint.
    pub concern: Option<OrderedSet<String>>,
    /// How large the field is drawn; 0 before the first time.
    pub zoom: f64,
    /// Heartbeats are drawn too.
    pub idle: bool,
}

impl Air {
    /// Takes the canvas of a fresh stage.
    pub fn take(&mut self, canvas: HtmlCanvasElement) {
        let context = canvas.get_context("2d").ok().flatten();
        self.context = context.and_then(|c| c.dyn_into().ok());
        self.canvas = Some(canvas);
        self.recolour();
        self.resize();
    }

    /// Takes a new picture of the stage: its boxes, and the curve between each two processes that have a wire.
    pub fn lay_out<'a>(
        &mut self,
        places: OrderedMap<String, Place>,
        wires: impl Iterator<Item = (&'a str, &'a str, Curve)>,
    ) {
        self.places = places;
        self.curves.clear();
        for (from, to, curve) in wires {
            self.curves
                .entry(from.to_owned())
                .or_default()
                .entry(to.to_owned())
                .or_insert(curve);
        }
    }

    /// Fits the canvas's pixels to its box and the screen.
    pub fn resize(&mut self) {
        let (Some(canvas), Some(context)) = (&self.canvas, &self.context) else {
            return;
        };
        let ratio = self.ratio();
        let (width, height) = (f64::from(canvas.client_width()), f64::from(canvas.client_height()));
        canvas.set_width((width * ratio) as u32);
        canvas.set_height((height * ratio) as u32);
        // Fails only for numbers that are not finite.
        let _ = context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0);
        self.size = (width, height);
        self.dots = Dots::new(&self.colours, ratio);
    }

    /// Pixels of the screen for one of the field.
    fn ratio(&self) -> f64 {
        let zoom = if self.zoom > 0.0 { self.zoom } else { 1.0 };
        gloo::utils::window().device_pixel_ratio() * zoom
    }

    /// Reads the colours of the theme.
    pub fn recolour(&mut self) {
        let Some(canvas) = &self.canvas else { return };
        let Some(parent) = canvas.parent_element() else { return };
        let Ok(probe) = gloo::utils::document().create_element("i") else {
            return;
        };
        let Ok(probe) = probe.dyn_into::<HtmlElement>() else {
            return;
        };
        if parent.append_child(&probe).is_err() {
            return;
        }
        let colour = |name: &str| {
            crate::ui::dom::set_style(&probe, "color", &format!("var(--{name})"));
            let style = gloo::utils::window().get_computed_style(&probe).ok().flatten();
            style
                .and_then(|s| s.get_property_value("color").ok())
                .unwrap_or_default()
        };
        self.colours = Colours {
            accent: colour("accent"),
            open: colour("open"),
            lead: colour("lead"),
            read: colour("read"),
            bad: colour("bad-solid"),
            ground: colour("bg"),
            ink: colour("ink"),
            faint: colour("ink-3"),
        };
        probe.remove();
        self.dots = Dots::new(&self.colours, self.ratio());
    }

    /// The message drawn nearest to a point, if it is near.
    pub fn at(&self, x: f64, y: f64) -> Option<u64> {
        const NEAR: f64 = 12.0;
        let far = |(_, px, py): &&(u64, f64, f64)| ((px - x).powi(2) + (py - y).powi(2)).sqrt();
        let nearest = self.drawn.iter().min_by(|a, b| far(a).total_cmp(&far(b)))?;
        (far(&nearest) < NEAR).then_some(nearest.0)
    }

    /// Draws all messages in flight as time stands.
    pub fn draw(&mut self, session: &Session) {
        let Some(context) = self.context.clone() else { return };
        context.clear_rect(0.0, 0.0, self.size.0, self.size.1);
        self.drawn.clear();
        if self.size.0 < 1.0 {
            return;
        }
        let now = session.run.now_us();
        let flights = session.run.air();
        for flight in flights.iter().filter(|f| self.idle || f.class != FlightClass::Idle) {
            let Some(curve) = self.curve(&flight.from, &flight.to) else {
                continue;
            };
            let (x, y) = curve.at(share(flight, now));
            let faint = self
                .concern
                .as_ref()
                .is_some_and(|c| !c.contains(&*flight.from) || !c.contains(&*flight.to));
            context.set_global_alpha(if faint { FAINT } else { 1.0 });
            if let Some(dots) = &self.dots {
                dots.put(&context, flight.class, x, y);
            }
            if flight.held {
                context.set_stroke_style_str(&self.colours.bad);
                context.set_line_width(2.0);
                context.begin_path();
                circle(&context, x, y, 9.0);
                context.stroke();
            }
            self.drawn.push((flight.id, x, y));
        }
        context.set_global_alpha(1.0);
        self.name_one(&context, session, &flights, now);
    }

    /// The curve that a message between these two takes, in its own direction.
    fn curve(&self, from: &str, to: &str) -> Option<Curve> {
        let wire = |a: &str, b: &str| self.curves.get(a).and_then(|far| far.get(b));
        if let Some(curve) = wire(from, to) {
            return Some(*curve);
        }
        if let Some(curve) = wire(to, from) {
            return Some(curve.back());
        }
        Some(Curve::between(
            self.places.get(from)?,
            self.places.get(to)?,
            free_air(&self.places),
        ))
    }

    /// The label of the message under the pointer, or of the selected one.
    fn name_one(&self, context: &CanvasRenderingContext2d, session: &Session, flights: &[FlightView], now: u64) {
        let Some(id) = self.hover.or(self.selected) else { return };
        let Some((_, x, y)) = self.drawn.iter().find(|d| d.0 == id) else {
            return;
        };
        let Some(flight) = flights.iter().find(|f| f.id == id) else {
            return;
        };
        context.set_stroke_style_str(&self.colours.accent);
        context.set_line_width(1.5);
        context.begin_path();
        circle(context, *x, *y, 9.0);
        context.stroke();
        let named = FlightView {
            text: session.run.flight_text(id),
            ..flight.clone()
        };
        let lines = (t().flight_tip)(&named, flight.arrives_us.saturating_sub(now));
        context.set_font("500 11.5px system-ui, sans-serif");
        let wide = |s: &str| context.measure_text(s).map_or(80.0, |m| m.width());
        let width = wide(&lines.0).max(wide(&lines.1)) + 18.0;
        let left = (x - width / 2.0).clamp(4.0, (self.size.0 - width - 4.0).max(4.0));
        let top = if *y > 62.0 { y - 54.0 } else { y + 14.0 };
        context.set_fill_style_str(&self.colours.ink);
        context.fill_rect(left, top, width, 40.0);
        context.set_fill_style_str(&self.colours.ground);
        // Fails only for numbers that are not finite.
        let _ = context.fill_text(&lines.0, left + 9.0, top + 17.0);
        let _ = context.fill_text(&lines.1, left + 9.0, top + 32.0);
    }
}

/// A whole circle as a path.
pub fn circle(context: &CanvasRenderingContext2d, x: f64, y: f64, radius: f64) {
    // Fails only for a negative radius.
    let _ = context.arc(x, y, radius, 0.0, std::f64::consts::TAU);
}

/// How much of its way a message has made. A held one stands in the middle.
fn share(flight: &FlightView, now_us: u64) -> f64 {
    if flight.held {
        return 0.5;
    }
    let whole = flight.arrives_us.saturating_sub(flight.sent_us).max(1);
    (now_us.saturating_sub(flight.sent_us) as f64 / whole as f64).clamp(0.0, 1.0)
}

/// The free pixels at the right of the brokers, where their arcs are drawn; at most what looks well. Where all boxes stand
/// in one column, it is the margin that the style sheet leaves for them.
pub fn free_air(places: &OrderedMap<String, Place>) -> f64 {
    const WELL: f64 = 52.0;
    const NONE: f64 = 20.0;
    const MARGIN: f64 = 34.0;
    let left = places.values().map(|p| p.left).fold(0.0, f64::max);
    let right = places
        .values()
        .map(|p| p.right)
        .filter(|r| *r < left)
        .fold(0.0, f64::max);
    if right > 0.0 {
        (left - right).clamp(NONE, WELL)
    } else {
        MARGIN
    }
}
