//! Inputs made from seeds: bytes flipped, pieces cut, doubled, swapped between seeds, telling words put in.

/// Pieces that readers look for, or stumble over.
const WORDS: &[&[u8]] = &[
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"\t",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"PK\x03\x04",
    b"PAR1",
    b"ARROW1",
    b"WEBVTT",
    b"-->",
    b"\\ud800",
    b"1e999",
    b"-1",
    b"18446744073709551616",
    b"9999-12-31T23:59:59Z",
    b"null",
    b"true",
    b"[[",
    b"'''",
    b"\"\"\"",
    b"=",
    b"#",
    b"\xe4\xbd",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae",
    b"\xef\xbc\x91",
    b"\xe2\x91\xa0",
    b"\xcc\x81",
    b"\xe2\x80\x8b",
    b"conversation_id",
    b"turns",
    b"role",
    b"text",
    b"at",
    "会话ID".as_bytes(),
    "客服".as_bytes(),
    "先生".as_bytes(),
    "号".as_bytes(),
    b"13800138000",
    b"<script>",
    b"&amp;",
    b"=cmd|",
    b"(?:",
    b"{1,1000}",
];

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
