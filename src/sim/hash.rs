//! A stable hash of what happened, the same natively and in wasm: one number per step that two runs compare.

use std::hash::Hasher;

/// 64 bits, folded byte group by byte group; every width is written as 64 bits, so `usize` decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct StableHasher(u64);

impl Default for StableHasher {
    fn default() -> Self {
        StableHasher(0x9e37_79b9_7f4a_7c15)
    }
}

impl StableHasher {
    pub fn from_state(state: u64) -> Self {
        StableHasher(state)
    }

    fn mix(&mut self, word: u64) {
        let x = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        self.0 = x ^ (x >> 29);
    }
}

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
        self.mix(bytes.len() as u64);
    }
    fn write_u8(&mut self, v: u8) {
        self.mix(u64::from(v));
    }
    fn write_u16(&mut self, v: u16) {
        self.mix(u64::from(v));
    }
    fn write_u32(&mut self, v: u32) {
        self.mix(u64::from(v));
    }
    fn write_u64(&mut self, v: u64) {
        self.mix(v);
    }
    fn write_usize(&mut self, v: usize) {
        self.mix(v as u64);
    }
    fn write_i8(&mut self, v: i8) {
        self.mix(v as i64 as u64);
    }
    fn write_i16(&mut self, v: i16) {
        self.mix(v as i64 as u64);
    }
    fn write_i32(&mut self, v: i32) {
        self.mix(v as i64 as u64);
    }
    fn write_i64(&mut self, v: i64) {
        self.mix(v as u64);
    }
    fn write_isize(&mut self, v: isize) {
        self.mix(v as i64 as u64);
    }
}
