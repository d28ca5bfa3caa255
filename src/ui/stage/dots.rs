//! The signs of messages in flight, drawn once per theme and then copied: thousands of copies cost less than thousands
//! of strokes.

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::air::{Colours, circle};
use crate::lab::view::FlightClass;

/// Width and height of one sign with its margin, in pixels of the page.
const CELL: f64 = 16.0;

/// Signs in the order of the sheet.
const SIGNS: [FlightClass; 5] = [
    FlightClass::Data,
    FlightClass::Answer,
    FlightClass::Copy,
    FlightClass::Control,
    FlightClass::Idle,
];

/// The sheet of signs.
pub struct Dots {
    sheet: HtmlCanvasElement,
    /// Pixels of the screen for one of the page.
    ratio: f64,
}

impl Dots {
    /// Draws the sheet; `None` where the browser gives no canvas.
    pub fn new(colours: &Colours, ratio: f64) -> Option<Dots> {
        let sheet = gloo::utils::document().create_element("canvas").ok()?;
        let sheet: HtmlCanvasElement = sheet.dyn_into().ok()?;
        sheet.set_width((CELL * ratio * SIGNS.len() as f64) as u32);
        sheet.set_height((CELL * ratio) as u32);
        let context: CanvasRenderingContext2d = sheet.get_context("2d").ok()??.dyn_into().ok()?;
        // Fails only for numbers that are not finite.
        let _ = context.scale(ratio, ratio);
        for (i, class) in SIGNS.into_iter().enumerate() {
            sign(&context, colours, class, (i as f64 + 0.5) * CELL, CELL / 2.0);
        }
        Some(Dots { sheet, ratio })
    }

    /// Puts a sign with its middle at (x, y).
    pub fn put(&self, context: &CanvasRenderingContext2d, class: FlightClass, x: f64, y: f64) {
        let index = SIGNS.iter().position(|s| *s == class).unwrap_or(0);
        let wide = CELL * self.ratio;
        // On whole pixels of the screen, a copy needs no blending of neighbours.
        let whole = |at: f64| ((at - CELL / 2.0) * self.ratio).round() / self.ratio;
        // Fails only for an empty sheet.
        let _ = context.draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            &self.sheet,
            wide * index as f64,
            0.0,
            wide,
            wide,
            whole(x),
            whole(y),
            CELL,
            CELL,
        );
    }
}

/// Disc request, ring answer, square carries copies, small disc control, a dot heartbeats.
fn sign(context: &CanvasRenderingContext2d, c: &Colours, class: FlightClass, x: f64, y: f64) {
    let (colour, size) = match class {
        FlightClass::Data => (&c.accent, 5.0),
        FlightClass::Answer => (&c.read, 5.0),
        FlightClass::Copy => (&c.open, 5.0),
        FlightClass::Control => (&c.lead, 3.5),
        FlightClass::Idle => (&c.faint, 2.5),
    };
    let ring = class == FlightClass::Answer;
    context.set_fill_style_str(if ring { &c.ground } else { colour });
    context.set_stroke_style_str(if ring { colour } else { &c.ground });
    context.set_line_width(2.0);
    context.begin_path();
    if class == FlightClass::Copy {
        context.rect(x - size, y - size, 2.0 * size, 2.0 * size);
    } else {
        circle(context, x, y, size);
    }
    context.fill();
    context.stroke();
}
