//! The stock generated conversations are made of.

use std::sync::LazyLock;

use serde::Deserialize;

use super::random::Random;

/// The stock that comes with the program.
pub static SCENES: LazyLock<Scenes> =
    LazyLock::new(|| toml::from_str(include_str!("scenes.toml")).expect("the stock is checked by a test"));

/// A reason to come, with what is asked and answered.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    #[allow(dead_code)] // for whoever reads the file
    topic: String,
    pub stage: String,
    pub open: Vec<String>,
    pub answer: Vec<String>,
    pub more: Vec<String>,
}

/// Everything to choose from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenes {
    products: Vec<String>,
    parts: Vec<String>,
    cities: Vec<String>,
    couriers: Vec<String>,
    colours: Vec<String>,
    sizes: Vec<String>,
    pub greetings: Vec<String>,
    pub closings: Vec<String>,
    pub waits: Vec<String>,
    pub thanks: Vec<String>,
    pub angry: Vec<String>,
    pub soothing: Vec<String>,
    pub cold: Vec<String>,
    pub violations: Vec<String>,
    pub scene: Vec<Scene>,
}

/// What one conversation is about.
pub struct Slots {
    values: [(&'static str, String); 10],
    pub order: String,
}

impl Scenes {
    pub fn slots(&self, random: &mut Random, agent: u64) -> Slots {
        let order = format!("{:013}", 1_000_000_000_000 + random.below(8_000_000_000_000));
        let values = [
            ("{product}", random.pick(self.products.as_slice()).clone()),
            ("{part}", random.pick(self.parts.as_slice()).clone()),
            ("{city}", random.pick(self.cities.as_slice()).clone()),
            ("{courier}", random.pick(self.couriers.as_slice()).clone()),
            ("{colour}", random.pick(self.colours.as_slice()).clone()),
            ("{size}", random.pick(self.sizes.as_slice()).clone()),
            ("{days}", (2 + random.below(9)).to_string()),
            ("{amount}", (5 * (1 + random.below(60))).to_string()),
            ("{order}", order.clone()),
            ("{name}", format!("小{}", ["李", "王", "陈", "周", "林", "赵"][(agent % 6) as usize])),
        ];
        Slots { values, order }
    }
}

impl Slots {
    /// The text with its slots filled.
    pub fn fill(&self, text: &str) -> String {
        let mut out = text.replace("{shop}", "小店");
        if out.contains('{') {
            for (slot, value) in &self.values {
                out = out.replace(slot, value);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_of_the_stock_can_be_filled() {
        let slots = SCENES.slots(&mut Random::new(1), 1);
        let s = &*SCENES;
        let lists = [&s.greetings, &s.closings, &s.waits, &s.angry, &s.soothing, &s.cold, &s.violations];
        let scenes = s.scene.iter().flat_map(|s| [&s.open, &s.answer, &s.more]);
        for text in lists.into_iter().chain(scenes).flatten() {
            assert!(!slots.fill(text).contains('{'), "{text}");
        }
    }
}
