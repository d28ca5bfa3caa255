//! The fragment of a link that holds a scenario's text, byte for byte.
//!
//! ```text
//! 1z k3vQ0a_B 412 . eJx...
//! || |        |     the text, deflated (z) or as it is (t), in base64url
//! || |        how many characters that is, so that a cut link is known as one
//! || checksum of the text
//! |compression
//! version of this form; every version ever written is read for ever
//! ```
//! (without the blanks)

use std::fmt;

use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use super::base64url;
use crate::lab::language::limits::TEXT_BYTES;

/// The form that is written.
const VERSION: u32 = 1;
const DEFLATED: char = 'z';
const PLAIN: char = 't';
/// Characters of the checksum: 48 bits.
const CHECKSUM_CHARS: usize = 8;

/// How much a link may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of the fragment.
    pub fragment_chars: usize,
    /// Bytes of the text.
    pub text_bytes: usize,
}

impl Default for Limits {
    /// Browsers pass fragments of this length; a text is no longer than the language reads.
    fn default() -> Limits {
        Limits {
            fragment_chars: 200_000,
            text_bytes: TEXT_BYTES,
        }
    }
}

/// Why a fragment opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    Empty,
    /// It does not begin as our links do.
    NotALink,
    /// Written by a newer Brokerlab.
    Newer {
        version: u32,
    },
    /// Its end is missing; how many characters, if that can be told.
    Cut {
        missing: Option<usize>,
    },
    /// The fragment is longer than is read.
    TooLong {
        chars: usize,
        limit: usize,
    },
    /// The text in it is longer than is read.
    TooBig {
        limit: usize,
    },
    /// Something in it is not as it was written.
    Damaged(&'static str),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::Empty => write!(f, "the link is empty: it holds no scenario"),
            LinkError::NotALink => write!(
                f,
                "this is not a link of Brokerlab: it begins with another sign than a version"
            ),
            LinkError::Newer { version } => write!(
                f,
                "the link is of version {version}, made by a newer Brokerlab; this one reads up to version {VERSION}: reload the page or update"
            ),
            LinkError::Cut { missing: Some(missing) } => {
                write!(
                    f,
                    "the link was cut: its last {missing} characters are missing; copy the whole link"
                )
            }
            LinkError::Cut { missing: None } => write!(f, "the link was cut: its end is missing; copy the whole link"),
            LinkError::TooLong { chars, limit } => {
                write!(
                    f,
                    "the link has {chars} characters; at most {limit} are read: use a file"
                )
            }
            LinkError::TooBig { limit } => {
                write!(
                    f,
                    "the scenario in the link is longer than {limit} bytes, the most that is read"
                )
            }
            LinkError::Damaged(what) => write!(f, "the link is damaged ({what}); copy it again from where it came"),
        }
    }
}

impl std::error::Error for LinkError {}

/// The fragment (without `#`) that holds a text.
pub fn encode(text: &str) -> String {
    let deflated = compress_to_vec(text.as_bytes(), 10);
    let (marker, bytes) = match deflated.len() < text.len() {
        true => (DEFLATED, deflated.as_slice()),
        false => (PLAIN, text.as_bytes()),
    };
    let payload = base64url::encode(bytes);
    format!("{VERSION}{marker}{}{}.{payload}", checksum(text), payload.len())
}

/// The text that a fragment (with or without `#`) holds.
///
/// # Errors
/// If it is cut, damaged, too long or newer: it never opens another text than the one that was encoded.
pub fn decode(fragment: &str, limits: Limits) -> Result<String, LinkError> {
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    if fragment.is_empty() {
        return Err(LinkError::Empty);
    }
    if fragment.len() > limits.fragment_chars {
        let chars = fragment.chars().count();
        return Err(LinkError::TooLong {
            chars,
            limit: limits.fragment_chars,
        });
    }
    let rest = fragment.trim_start_matches(|c: char| c.is_ascii_digit());
    match fragment[..fragment.len() - rest.len()].parse::<u32>() {
        Ok(VERSION) => version_1(rest, limits),
        Ok(version) if version > VERSION => Err(LinkError::Newer { version }),
        _ => Err(LinkError::NotALink),
    }
}

/// What stands behind the `1` of a link of version 1.
fn version_1(rest: &str, limits: Limits) -> Result<String, LinkError> {
    let mut chars = rest.chars();
    let Some(marker) = chars.next() else {
        return Err(LinkError::Cut { missing: None });
    };
    if marker != DEFLATED && marker != PLAIN {
        return Err(LinkError::Damaged("unknown compression"));
    }
    let rest = chars.as_str();
    let Some((sum, rest)) = rest.split_at_checked(CHECKSUM_CHARS) else {
        return Err(LinkError::Cut { missing: None });
    };
    let payload = payload(rest)?;
    let bytes = base64url::decode(payload).ok_or(LinkError::Damaged("a character that links don't have"))?;
    let bytes = if marker == DEFLATED {
        inflate(&bytes, limits)?
    } else {
        bytes
    };
    if bytes.len() > limits.text_bytes {
        return Err(LinkError::TooBig {
            limit: limits.text_bytes,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| LinkError::Damaged("not a text"))?;
    if checksum(&text) == sum {
        Ok(text)
    } else {
        Err(LinkError::Damaged("its checksum is another"))
    }
}

/// The characters behind the length and the point, if there are as many as it says.
fn payload(rest: &str) -> Result<&str, LinkError> {
    let Some((length, payload)) = rest.split_once('.') else {
        let digits = rest.bytes().all(|b| b.is_ascii_digit());
        return Err(if digits {
            LinkError::Cut { missing: None }
        } else {
            LinkError::Damaged("its length")
        });
    };
    let plain = !length.starts_with('0') || length == "0";
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let Some(length) = length.parse::<usize>().ok().filter(|_| plain && digits) else {
        return Err(LinkError::Damaged("its length"));
    };
    match payload.len() {
        there if there < length => Err(LinkError::Cut {
            missing: Some(length - there),
        }),
        there if there > length => Err(LinkError::Damaged("something was added at its end")),
        _ => Ok(payload),
    }
}

fn inflate(bytes: &[u8], limits: Limits) -> Result<Vec<u8>, LinkError> {
    decompress_to_vec_with_limit(bytes, limits.text_bytes).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => LinkError::TooBig {
            limit: limits.text_bytes,
        },
        _ => LinkError::Damaged("its compressed text"),
    })
}

/// 48 bits of FNV-1a (64 bits, the upper 16 folded in) over the text's bytes, in base64url.
fn checksum(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folded = hash ^ (hash >> 48);
    base64url::encode(&folded.to_be_bytes()[2..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ordered::SortSmall;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    const TEXT: &str = "lab 1\ntitle \"acks=1 🦀\"\ncontroller c1\nbroker b1..b3\nproducer web acks=1\n\nat 1s  produce web loan_request key=kim \"300\"\nat 2s  crash b1\n";

    fn open(fragment: &str) -> Result<String, LinkError> {
        decode(fragment, Limits::default())
    }

    #[test]
    fn a_link_of_each_version_is_read_for_ever() {
        assert_eq!(open(GOLDEN_1).as_deref(), Ok(TEXT));
        assert_eq!(open(&format!("#{GOLDEN_1}")).as_deref(), Ok(TEXT));
        assert_eq!(open(GOLDEN_1_PLAIN).as_deref(), Ok("lab 1\n"));
        let head = GOLDEN_1.find('.').unwrap() - 3;
        assert_eq!(encode(TEXT)[..head], GOLDEN_1[..head]);
    }

    #[test]
    fn every_cut_link_is_known_as_cut() {
        let whole = encode(TEXT);
        for end in 1..whole.len() {
            assert!(matches!(open(&whole[..end]), Err(LinkError::Cut { .. })), "{end}");
        }
        assert_eq!(
            open(&whole[..whole.len() - 7]),
            Err(LinkError::Cut { missing: Some(7) })
        );
        assert_eq!(open(""), Err(LinkError::Empty));
        assert_eq!(open("#"), Err(LinkError::Empty));
    }

    #[test]
    fn each_error_has_its_own_words() {
        let whole = encode(TEXT);
        let newer = format!("2{}", &whole[1..]);
        assert_eq!(open(&newer), Err(LinkError::Newer { version: 2 }));
        assert_eq!(open("hello"), Err(LinkError::NotALink));
        assert_eq!(open("99999999999zA"), Err(LinkError::NotALink));
        assert!(matches!(open(&format!("{whole}A")), Err(LinkError::Damaged(_))));
        assert!(matches!(open(&whole.replace('.', ".%")), Err(LinkError::Damaged(_))));
        assert!(matches!(open(&"1".repeat(200_001)), Err(LinkError::TooLong { .. })));
        let small = Limits {
            text_bytes: TEXT.len() - 1,
            ..Limits::default()
        };
        assert_eq!(decode(&whole, small), Err(LinkError::TooBig { limit: TEXT.len() - 1 }));
        let mut texts: Vec<String> = [
            LinkError::Empty,
            LinkError::NotALink,
            LinkError::Newer { version: 2 },
            LinkError::Cut { missing: Some(7) },
            LinkError::TooLong { chars: 9, limit: 8 },
            LinkError::TooBig { limit: 8 },
            LinkError::Damaged("x"),
        ]
        .iter()
        .map(ToString::to_string)
        .collect();
        texts.sort_small();
        texts.dedup();
        assert_eq!(texts.len(), 7);
        assert!(texts.iter().all(|text| !text.contains('\n')));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let bomb = encode(&"a".repeat(20_000_000));
        assert!(bomb.len() < 40_000);
        assert_eq!(open(&bomb), Err(LinkError::TooBig { limit: TEXT_BYTES }));
    }

    #[test]
    fn a_hundred_thousand_bad_links_open_nothing_else() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let originals = [
            encode(TEXT),
            encode("lab 1\n"),
            encode(&"at 1s heal\n".repeat(40)),
            encode(""),
        ];
        let texts: Vec<String> = originals.iter().map(|link| open(link).unwrap()).collect();
        let mut opened = 0;
        for n in 0..100_000 {
            let which = random.random_range(0..originals.len() as u32) as usize;
            let link = if n % 10 == 0 {
                noise(&mut random)
            } else {
                mutated(&mut random, &originals[which])
            };
            if let Ok(text) = open(&link) {
                opened += 1;
                assert_eq!(text, texts[which], "{link}");
            }
        }
        // A change can undo itself; if many links opened, nothing would have been tried.
        assert!(opened < 3_000, "{opened}");
    }

    fn noise(random: &mut ChaCha8Rng) -> String {
        let start = ["", "1", "1z", "1tAAAAAAAA4.", "#1zAAAAAAAA"][random.random_range(0..5u32) as usize];
        let rest = (0..random.random_range(0..60u32)).map(|_| char::from(random.random_range(32..127u8)));
        start.chars().chain(rest).collect()
    }

    fn mutated(random: &mut ChaCha8Rng, link: &str) -> String {
        const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.#%=";
        let mut bytes = link.as_bytes().to_vec();
        for _ in 0..random.random_range(1..4u32) {
            let at = random.random_range(0..bytes.len() as u32) as usize;
            let sign = SIGNS[random.random_range(0..SIGNS.len() as u32) as usize];
            match random.random_range(0..5u32) {
                0 | 1 => bytes[at] = sign,
                2 => bytes.insert(at, sign),
                3 if bytes.len() > 1 => {
                    bytes.remove(at);
                }
                _ if at > 0 => bytes.swap(at - 1, at),
                _ => bytes.push(sign),
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_text_comes_back_byte_for_byte(text: String) {
            let link = encode(&text);
            prop_assert!(link.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
            prop_assert_eq!(open(&link), Ok(text));
        }
    }

    /// A link of version 1, deflated, as it was first given away.
    const GOLDEN_1: &str = "1z2SRG_-sc155.LYzLDcJADETvrsLaAqIsOacWtDaWiNbE4HWEuNEJN-qjBJbPbUbvzWghzBBLqGAqXNuc8fV43hOwreGmKo6cgdxqT5SHgSY4ux027v0qhL8VQAnMDfHPvkitrHuXyyYtsMptrssJ0zSO6WPvus1e2rHfwhs";
    /// A link of version 1 whose text is too short to gain by deflating.
    const GOLDEN_1_PLAIN: &str = "1td_cqSbOq8.bGFiIDEK";
}
