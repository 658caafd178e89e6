//! Inputs made from seeds: bytes flipped, pieces cut, doubled, swapped between seeds, telling words put in.

use crate::words::WORDS;

/// Makes inputs from seeds.
pub struct Mutator {
    state: u64,
    seeds: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new(seed: u64, seeds: Vec<Vec<u8>>) -> Mutator {
        Mutator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, seeds }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) as usize % bound.max(1)
    }

    /// The next input; at most some 64 KiB.
    pub fn next(&mut self) -> Vec<u8> {
        let which = self.below(self.seeds.len());
        let mut input = self.seeds[which].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut input);
        }
        input.truncate(1 << 16);
        // The first byte often chooses what the rest is taken for.
        if self.below(4) == 0 && !input.is_empty() {
            input[0] = self.below(256) as u8;
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(64)).min(input.len());
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.below(256) as u8,
            2 => drop(input.drain(at..end)),
            3 => {
                let piece = input[at..end].to_vec();
                let times = 1 + self.below(50);
                input.splice(at..at, piece.repeat(times));
            }
            4 => input.truncate(at),
            5 => {
                let other = self.below(self.seeds.len());
                let other = &self.seeds[other];
                let (len, total) = (other.len(), self.state as usize);
                let from = if len == 0 { 0 } else { total % len };
                let piece = other[from..(from + 200).min(len)].to_vec();
                input.splice(at..end, piece);
            }
            _ => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
        }
    }
}
