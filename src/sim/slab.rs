//! A slab: values in numbered places, freed places used again. Numbers carry a generation, so that an old one never
//! meets a new tenant.

/// Names one value of a [`Slab`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    /// One number for both parts, for logs and handles.
    pub fn as_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    pub fn from_u64(value: u64) -> Key {
        Key {
            index: value as u32,
            generation: (value >> 32) as u32,
        }
    }
}

/// Values in numbered places.
#[derive(Clone, Debug)]
pub struct Slab<T> {
    places: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
    len: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab {
            places: Vec::new(),
            free: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Slab<T> {
    pub fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        if let Some(index) = self.free.pop() {
            let place = &mut self.places[index as usize];
            place.0 = place.0.wrapping_add(1);
            place.1 = Some(value);
            return Key {
                index,
                generation: place.0,
            };
        }
        self.places.push((0, Some(value)));
        Key {
            index: (self.places.len() - 1) as u32,
            generation: 0,
        }
    }

    pub fn get(&self, key: Key) -> Option<&T> {
        let (generation, value) = self.places.get(key.index as usize)?;
        if *generation == key.generation {
            value.as_ref()
        } else {
            None
        }
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (generation, value) = self.places.get_mut(key.index as usize)?;
        if *generation == key.generation {
            value.as_mut()
        } else {
            None
        }
    }

    pub fn remove(&mut self, key: Key) -> Option<T> {
        let (generation, value) = self.places.get_mut(key.index as usize)?;
        if *generation != key.generation {
            return None;
        }
        let taken = value.take()?;
        self.free.push(key.index);
        self.len -= 1;
        Some(taken)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(index, (generation, value))| {
                value.as_ref().map(|v| {
                    (
                        Key {
                            index: index as u32,
                            generation: *generation,
                        },
                        v,
                    )
                })
            })
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().filter_map(|(_, value)| value.as_mut())
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_key_never_meets_a_new_tenant() {
        let mut slab = Slab::default();
        let a = slab.insert('a');
        assert_eq!(slab.remove(a), Some('a'));
        let b = slab.insert('b');
        assert_eq!((slab.get(a), slab.get(b)), (None, Some(&'b')));
        assert_eq!(slab.remove(a), None);
        assert_eq!(Key::from_u64(b.as_u64()), b);
        assert_eq!(slab.len(), 1);
    }
}
