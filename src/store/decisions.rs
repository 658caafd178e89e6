//! What people decided: imports, reviews, demotions. Rows are only ever added.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use super::{Store, told};
use crate::error::Result;
use crate::review::{CaseKey, Decision, FindingKey, Review, Round, Verdict};

/// A sheet that came back, read and found good.
#[derive(Debug, Clone)]
pub struct Import {
    /// The file as named.
    pub file: String,
    /// Its SHA-256.
    pub sha256: String,
    /// The sheet it is.
    pub sheet: String,
    /// The sample.
    pub sample: String,
    /// In which capacity it was filled.
    pub round: Round,
    /// By whom.
    pub reviewer: String,
    /// The cases she has finished, with what she decided.
    pub cases: Vec<(CaseKey, Vec<Decision>)>,
}

/// What an import came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Cases reviewed for the first time.
    pub new: u64,
    /// Cases whose review was replaced by a later one.
    pub superseded: u64,
    /// Cases already stored just so.
    pub unchanged: u64,
}

/// A line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LogLine {
    /// When.
    pub at: String,
    /// Who brought it in.
    pub who: String,
    /// What happened: `review`, `demote`, `restore`, `sample`.
    pub what: &'static str,
    /// In one line.
    pub text: String,
    /// From which file.
    pub file: String,
    /// Still holds: not superseded.
    pub stands: bool,
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RuleStanding {
    /// The rule.
    pub rule: String,
    /// Review-only by decision; else restored.
    pub demoted: bool,
    /// When.
    pub at: String,
    /// By whom.
    pub who: String,
    /// Why.
    pub reason: String,
}

impl Store {
    /// Takes sheets in, all in one transaction: everything or nothing. What is already stored just so adds nothing.
    ///
    /// # Errors
    /// When the store cannot be written; it is then as it was.
    pub fn import(&mut self, imports: &[Import], at: &str, who: &str) -> Result<Imported> {
        let path = self.path.clone();
        let tx = self.begin()?;
        let work = || -> rusqlite::Result<Imported> {
            let mut out = Imported::default();
            imports.iter().try_for_each(|import| take(&tx, import, at, who, &mut out))?;
            Ok(out)
        };
        let out = work().map_err(|e| told(&path, &e))?;
        tx.commit().map_err(|e| told(&path, &e))?;
        Ok(out)
    }

    /// The standing reviews of a night (or part).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn reviews(&self, night: &str, part: &str) -> Result<Vec<Review>> {
        let sql = "SELECT id, sample, conversation, agent, round, reviewer, at FROM standing_reviews
                   WHERE night = ?1 AND part = ?2 ORDER BY id";
        let read = |row: &Row<'_>| -> rusqlite::Result<Review> {
            let round: String = row.get(4)?;
            Ok(Review {
                id: row.get(0)?,
                sample: row.get(1)?,
                case: CaseKey {
                    night: night.to_string(),
                    part: part.to_string(),
                    conversation: row.get(2)?,
                    agent: row.get(3)?,
                },
                round: Round::parse(&round).unwrap_or(Round::First),
                reviewer: row.get(5)?,
                at: row.get(6)?,
                decisions: Vec::new(),
            })
        };
        let mut reviews = self.list(sql, [night, part], read)?;
        for review in &mut reviews {
            let sql = "SELECT rule, turn, verdict, comment FROM review_decisions WHERE review = ?1 ORDER BY turn, rule";
            review.decisions = self.list(sql, [review.id], |row| {
                let verdict: String = row.get(2)?;
                Ok(Decision {
                    finding: FindingKey { rule: row.get(0)?, turn: row.get(1)? },
                    verdict: Verdict::parse(&verdict).unwrap_or(Verdict::Confirmed),
                    comment: row.get(3)?,
                })
            })?;
        }
        Ok(reviews)
    }

    /// Rules that were ever demoted, and where they stand now, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rule_standing(&self) -> Result<Vec<RuleStanding>> {
        let sql = "SELECT rule, demoted, at, who, reason FROM rule_standing
                   WHERE id IN (SELECT MAX(id) FROM rule_standing GROUP BY rule) ORDER BY rule";
        self.list(sql, [], |row| {
            Ok(RuleStanding {
                rule: row.get(0)?,
                demoted: row.get(1)?,
                at: row.get(2)?,
                who: row.get(3)?,
                reason: row.get(4)?,
            })
        })
    }

    /// Demotes or restores rules.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn set_standing(&mut self, rules: &[RuleStanding]) -> Result<()> {
        let path = self.path.clone();
        let tx = self.begin()?;
        let done = || -> rusqlite::Result<()> {
            for r in rules {
                let sql = "INSERT INTO rule_standing (at, who, rule, demoted, reason) VALUES (?1, ?2, ?3, ?4, ?5)";
                tx.execute(sql, params![r.at, r.who, r.rule, r.demoted, r.reason])?;
            }
            Ok(())
        };
        done().and_then(|()| tx.commit()).map_err(|e| told(&path, &e))
    }

    /// The audit trail, oldest first within each kind of event.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn log(&self) -> Result<Vec<LogLine>> {
        let mut out = self.list(
            "SELECT s.at, s.who, s.id, s.kind, s.night, (SELECT COUNT(*) FROM review_drawn d WHERE d.sample = s.id)
             FROM review_samples s ORDER BY s.at, s.id",
            [],
            |row| {
                let (id, kind, night): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
                let cases: i64 = row.get(5)?;
                let text = format!("抽样 {id}({kind},{night}): {cases} 通");
                Ok(LogLine {
                    at: row.get(0)?,
                    who: row.get(1)?,
                    what: "sample",
                    text,
                    file: String::new(),
                    stands: true,
                })
            },
        )?;
        out.extend(self.list(
            "SELECT i.at, i.who, i.file, r.night, r.conversation, r.agent, r.round, r.reviewer, r.supersedes,
                 EXISTS (SELECT 1 FROM reviews n WHERE n.supersedes = r.id),
                 (SELECT GROUP_CONCAT(d.verdict || ' ' || d.rule || '(第 ' || (d.turn + 1) || ' 条)'
                      || CASE d.comment WHEN '' THEN '' ELSE '(' || d.comment || ')' END, '; ')
                  FROM (SELECT * FROM review_decisions WHERE review = r.id ORDER BY turn, rule) d)
             FROM reviews r JOIN review_imports i ON i.id = r.import ORDER BY r.id",
            [],
            |row| {
                let text = |n: usize| row.get::<_, String>(n);
                let round = Round::parse(&text(6)?).unwrap_or(Round::First);
                let said: Option<String> = row.get(10)?;
                let titled = |said: String| {
                    Verdict::ALL
                        .iter()
                        .fold(said, |said, (_, id, title)| said.replace(&format!("{id} "), &format!("{title} ")))
                };
                let said = said.map_or_else(|| "没有异议".into(), titled);
                let replaces = match row.get::<_, Option<i64>>(8)? {
                    Some(_) => "(取代先前的)",
                    None => "",
                };
                let (night, conversation, agent, reviewer) = (text(3)?, text(4)?, text(5)?, text(7)?);
                Ok(LogLine {
                    at: row.get(0)?,
                    who: row.get(1)?,
                    what: "review",
                    text: format!("{} {reviewer} {night} {conversation} {agent}: {said}{replaces}", round.title()),
                    file: row.get(2)?,
                    stands: !row.get::<_, bool>(9)?,
                })
            },
        )?);
        out.extend(self.list(
            "SELECT at, who, rule, demoted, reason, id IN (SELECT MAX(id) FROM rule_standing GROUP BY rule)
             FROM rule_standing ORDER BY id",
            [],
            |row| {
                let demoted: bool = row.get(3)?;
                let (rule, reason): (String, String) = (row.get(2)?, row.get(4)?);
                let verb = if demoted { "降为只提示" } else { "恢复扣分" };
                Ok(LogLine {
                    at: row.get(0)?,
                    who: row.get(1)?,
                    what: if demoted { "demote" } else { "restore" },
                    text: format!("{rule} {verb}: {reason}"),
                    file: String::new(),
                    stands: row.get(5)?,
                })
            },
        )?);
        out.sort_by(|a, b| a.at.cmp(&b.at));
        Ok(out)
    }
}

/// A digest of what was decided, whatever the order.
fn digest(decisions: &[Decision]) -> String {
    let mut sorted: Vec<&Decision> = decisions.iter().collect();
    sorted.sort();
    let json = serde_json::to_vec(&sorted).unwrap_or_default();
    Sha256::digest(&json).iter().map(|b| format!("{b:02x}")).collect()
}

fn take(tx: &Connection, import: &Import, at: &str, who: &str, out: &mut Imported) -> rusqlite::Result<()> {
    let mut number = None;
    for (key, decisions) in &import.cases {
        let sql = "SELECT id, digest FROM standing_reviews WHERE sample = ?1 AND night = ?2 AND part = ?3
                       AND conversation = ?4 AND agent = ?5 AND round = ?6 AND reviewer = ?7";
        let bound = params![
            import.sample,
            key.night,
            key.part,
            key.conversation,
            key.agent,
            import.round.id(),
            import.reviewer
        ];
        let before: Option<(i64, String)> =
            tx.prepare_cached(sql)?.query_row(bound, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let digest = digest(decisions);
        if before.as_ref().is_some_and(|(_, known)| *known == digest) {
            out.unchanged += 1;
            continue;
        }
        let id = match number {
            Some(id) => id,
            None => {
                let sql = "INSERT INTO review_imports (at, who, file, sha256, sheet) VALUES (?1, ?2, ?3, ?4, ?5)";
                tx.execute(sql, params![at, who, import.file, import.sha256, import.sheet])?;
                *number.insert(tx.last_insert_rowid())
            }
        };
        match before {
            Some(_) => out.superseded += 1,
            None => out.new += 1,
        }
        tx.execute(
            "INSERT INTO reviews (import, sample, night, part, conversation, agent, round, reviewer, digest, supersedes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                id,
                import.sample,
                key.night,
                key.part,
                key.conversation,
                key.agent,
                import.round.id(),
                import.reviewer,
                digest,
                before.map(|b| b.0)
            ],
        )?;
        let review = tx.last_insert_rowid();
        for Decision { finding, verdict, comment } in decisions {
            let sql = "INSERT INTO review_decisions VALUES (?1, ?2, ?3, ?4, ?5)";
            tx.execute(sql, params![review, finding.rule, finding.turn, verdict.id(), comment])?;
        }
    }
    Ok(())
}
