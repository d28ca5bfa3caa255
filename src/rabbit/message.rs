//! A message: what was published, and where it came in.

use super::value::{Field, Name, Table};
use std::rc::Rc;

/// The properties of a message, as far as they were set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Properties {
    pub headers: Option<Table>,
    /// 2 is persistent; 1, none and anything else is not.
    pub delivery_mode: Option<u8>,
    pub priority: Option<u8>,
    /// Milliseconds, as text.
    pub expiration: Option<Name>,
    pub reply_to: Option<Name>,
    pub user_id: Option<Name>,
    /// `correlation_id`, `message_id`, `content_type`, ... with their values; the broker only carries them.
    pub carried: Rc<[(Name, Field)]>,
}

/// A message as it stands in a queue. `keys` is the routing key, then those of CC and BCC.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    pub exchange: Name,
    pub keys: Rc<[Name]>,
    pub properties: Rc<Properties>,
    pub body: Rc<str>,
    /// The number of what a client was told to publish, for whoever follows its fate.
    pub origin: Option<u32>,
}

impl Message {
    /// The key that deliveries show.
    pub fn routing_key(&self) -> &Name {
        &self.keys[0]
    }

    pub fn is_persistent(&self) -> bool {
        self.properties.delivery_mode == Some(2)
    }

    /// The body's length in bytes.
    pub fn size(&self) -> u64 {
        self.body.len() as u64
    }

    /// The message time to live in milliseconds; `None` if it has none (a bad one was refused at the publish).
    pub fn ttl_ms(&self) -> Option<u64> {
        let expiration = self.properties.expiration.as_ref()?;
        super::expiration::parse(expiration).ok()
    }
}

/// Takes CC and BCC out of the headers: the extra keys, and the headers as they go on (without BCC).
///
/// # Errors
/// A CC or BCC that is no array, as the server's text has it.
pub fn extra_keys(headers: Option<&Table>) -> Result<(Vec<Name>, Option<Table>), String> {
    let Some(headers) = headers else {
        return Ok((Vec::new(), None));
    };
    let mut keys = Vec::new();
    for name in ["CC", "BCC"] {
        match headers.get(name) {
            None => {}
            Some(Field::Array(items)) => keys.extend(items.iter().filter_map(|item| item.text().cloned())),
            Some(other) => {
                return Err(format!("{{unacceptable_type_in_header,\"{name}\",{}}}", other.kind()));
            }
        }
    }
    Ok((keys, Some(headers.without("BCC"))))
}
