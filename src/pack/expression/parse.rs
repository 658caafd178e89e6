//! From the text of a condition to its expression.

use std::ops::Range;

use super::{Compare, Expr, ExprFault, Field, MarkerId, Meta, Value, duration, field, scaled};
use crate::conversation::Role;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Duration(i64),
    Compare(Compare),
    Open,
    Close,
    Comma,
}

/// Parses an expression; `lookup` gives a marker's number.
///
/// # Errors
/// The first fault that keeps the expression from being read, with its place; all unknown names are reported together.
pub fn parse(source: &str, lookup: &dyn Fn(&str) -> Option<MarkerId>) -> Result<Expr, Vec<ExprFault>> {
    let tokens = tokens(source).map_err(|f| vec![f])?;
    let mut parser = Parser { tokens, at: 0, end: source.len(), lookup, unknown: Vec::new() };
    match parser.or() {
        Err(fault) => {
            parser.unknown.push(fault);
            Err(parser.unknown)
        }
        Ok(_) if parser.at < parser.tokens.len() => {
            let range = parser.tokens[parser.at].1.clone();
            parser.unknown.push(fault(range, "这里多出了内容;条件之间要用 and / or / then 连接"));
            Err(parser.unknown)
        }
        Ok(_) if !parser.unknown.is_empty() => Err(parser.unknown),
        Ok(expr) => Ok(expr),
    }
}

fn fault(range: Range<usize>, message: impl Into<String>) -> ExprFault {
    ExprFault { range, message: message.into(), unknown_name: None }
}

fn tokens(source: &str) -> Result<Vec<(Token, Range<usize>)>, ExprFault> {
    let mut out = Vec::new();
    let mut rest = source.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        let mut take_while = |ok: &dyn Fn(char) -> bool| {
            let mut end = start + c.len_utf8();
            while let Some(&(i, next)) = rest.peek() {
                if !ok(next) {
                    break;
                }
                end = i + next.len_utf8();
                rest.next();
            }
            end
        };
        match c {
            c if c.is_whitespace() => {}
            '(' | '\u{ff08}' => out.push((Token::Open, start..start + c.len_utf8())),
            ')' | '\u{ff09}' => out.push((Token::Close, start..start + c.len_utf8())),
            ',' | '\u{ff0c}' => out.push((Token::Comma, start..start + c.len_utf8())),
            '"' | '\'' => {
                let end = take_while(&|n| n != c);
                if rest.next().is_none() {
                    return Err(fault(start..source.len(), "引号没有成对"));
                }
                out.push((Token::Text(source[start + 1..end].to_string()), start..end + 1));
            }
            '=' | '!' | '<' | '>' => {
                let end = take_while(&|n| n == '=');
                let compare = match &source[start..end] {
                    "==" | "=" => Compare::Equal,
                    "!=" => Compare::NotEqual,
                    "<" => Compare::Less,
                    "<=" => Compare::AtMost,
                    ">" => Compare::More,
                    ">=" => Compare::AtLeast,
                    _ => return Err(fault(start..end, "不认识的比较符;可用 == != < <= > >=")),
                };
                out.push((Token::Compare(compare), start..end));
            }
            c if c.is_ascii_digit() => {
                let end = take_while(&|n| n.is_ascii_alphanumeric() || n == '.');
                let text = &source[start..end];
                let token = match text.parse::<f64>() {
                    Ok(number) => Token::Number(number),
                    Err(_) => match duration(text) {
                        Some(ms) => Token::Duration(ms),
                        None => return Err(fault(start..end, "看不懂的数字;时长写成 30s、3m、24h")),
                    },
                };
                out.push((token, start..end));
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = take_while(&|n| n.is_alphanumeric() || n == '_' || n == '-');
                out.push((Token::Name(source[start..end].to_string()), start..end));
            }
            _ => return Err(fault(start..start + c.len_utf8(), format!("不认识的符号 `{c}`"))),
        }
    }
    Ok(out)
}

struct Parser<'p> {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    end: usize,
    lookup: &'p dyn Fn(&str) -> Option<MarkerId>,
    unknown: Vec<ExprFault>,
}

impl Parser<'_> {
    fn peek_name(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some((Token::Name(name), _)) => Some(name),
            _ => None,
        }
    }

    fn here(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(self.end..self.end, |t| t.1.clone())
    }

    fn next(&mut self) -> Option<(Token, Range<usize>)> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Result<Expr, ExprFault>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, ExprFault> {
        let mut parts = vec![part(self)?];
        while self.peek_name() == Some(word) {
            self.at += 1;
            parts.push(part(self)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { join(parts) })
    }

    fn or(&mut self) -> Result<Expr, ExprFault> {
        self.joined("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, ExprFault> {
        self.joined("and", Self::then, Expr::And)
    }

    fn then(&mut self) -> Result<Expr, ExprFault> {
        let mut left = self.unary()?;
        while self.peek_name() == Some("then") {
            self.at += 1;
            left = Expr::Then(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, ExprFault> {
        let here = self.here();
        match self.next() {
            Some((Token::Name(name), _)) if name == "not" => Ok(Expr::Not(Box::new(self.unary()?))),
            Some((Token::Open, _)) => {
                let inner = self.or()?;
                self.expect(Token::Close, "缺少右括号 )")?;
                Ok(inner)
            }
            Some((Token::Name(name), range)) => self.atom(&name, range),
            _ => Err(fault(here, "这里要写标记名、指标或 ( … )")),
        }
    }

    fn expect(&mut self, token: Token, message: &str) -> Result<(), ExprFault> {
        let here = self.here();
        match self.next() {
            Some((got, _)) if got == token => Ok(()),
            _ => Err(fault(here, message)),
        }
    }

    fn atom(&mut self, name: &str, range: Range<usize>) -> Result<Expr, ExprFault> {
        match name {
            "count" => {
                self.expect(Token::Open, "count 后面要写 (标记名)")?;
                let marker = self.marker()?;
                self.expect(Token::Close, "缺少右括号 )")?;
                let here = self.here();
                let compare = self.compare().ok_or_else(|| fault(here, "count(…) 后面要写比较,如 >= 2"))?;
                let number = self.whole_number()?;
                Ok(Expr::Count(marker, compare, number))
            }
            "repeat" => {
                self.expect(Token::Open, "repeat 后面要写 (agent, 3)")?;
                let here = self.here();
                let role = match self.next() {
                    Some((Token::Name(role), _)) if role == "agent" => Role::Agent,
                    Some((Token::Name(role), _)) if role == "customer" => Role::Customer,
                    _ => return Err(fault(here, "repeat 的第一个参数是 agent 或 customer")),
                };
                self.expect(Token::Comma, "repeat(agent, 3) 中间要有逗号")?;
                let here = self.here();
                let n = self.whole_number()?;
                self.expect(Token::Close, "缺少右括号 )")?;
                let n = u32::try_from(n).ok().filter(|n| *n >= 2);
                Ok(Expr::Repeat(role, n.ok_or_else(|| fault(here, "次数至少是 2"))?))
            }
            "missing" => {
                self.expect(Token::Open, "missing 后面要写 (指标或元数据)")?;
                let here = self.here();
                let field = match self.next() {
                    Some((Token::Name(name), _)) => field(&name),
                    _ => None,
                };
                let field = field.ok_or_else(|| fault(here, "missing( ) 里要写指标或元数据名"))?;
                self.expect(Token::Close, "缺少右括号 )")?;
                Ok(Expr::Missing(field))
            }
            _ => match field(name) {
                Some(field) => self.comparison(field, range),
                None => match (self.lookup)(name) {
                    Some(marker) => Ok(Expr::Marker(marker)),
                    None => Ok(self.unknown_marker(name, range)),
                },
            },
        }
    }

    fn comparison(&mut self, field: Field, range: Range<usize>) -> Result<Expr, ExprFault> {
        let Some(compare) = self.compare() else {
            if let Field::Meta(Meta::IsFirstAgent | Meta::IsLastAgent | Meta::Transferred) = field {
                return Ok(Expr::Field(field, Compare::Equal, Value::Number(1)));
            }
            return Err(fault(range, "这里要写比较,如 channel == \"phone\" 或 first_response > 30s"));
        };
        let here = self.here();
        let text_field =
            matches!(field, Field::Meta(Meta::Channel | Meta::Stage | Meta::Queue | Meta::Tag | Meta::Team));
        let flag = matches!(field, Field::Meta(Meta::IsFirstAgent | Meta::IsLastAgent | Meta::Transferred));
        let value = match self.next() {
            Some((Token::Text(text), _)) if text_field => Value::Text(text),
            Some((Token::Name(name), _)) if flag && (name == "true" || name == "false") => {
                Value::Number(i64::from(name == "true"))
            }
            Some((Token::Duration(ms), _)) if !text_field => Value::Number(ms),
            Some((Token::Number(number), _)) if !text_field => Value::Number(scaled(field, number)),
            _ if text_field => return Err(fault(here, "这里要写加引号的文字,如 \"phone\"")),
            _ => return Err(fault(here, "这里要写数字或时长(30s、3m、24h)")),
        };
        Ok(Expr::Field(field, compare, value))
    }

    fn compare(&mut self) -> Option<Compare> {
        match self.tokens.get(self.at) {
            Some((Token::Compare(compare), _)) => {
                self.at += 1;
                Some(*compare)
            }
            _ => None,
        }
    }

    fn whole_number(&mut self) -> Result<i64, ExprFault> {
        let here = self.here();
        match self.next() {
            Some((Token::Number(n), _)) if n.fract() == 0.0 => Ok(n as i64),
            _ => Err(fault(here, "这里要写整数")),
        }
    }

    fn marker(&mut self) -> Result<MarkerId, ExprFault> {
        let here = self.here();
        match self.next() {
            Some((Token::Name(name), range)) => match (self.lookup)(&name) {
                Some(marker) => Ok(marker),
                None => {
                    self.unknown_marker(&name, range);
                    Ok(0)
                }
            },
            _ => Err(fault(here, "这里要写标记名")),
        }
    }

    fn unknown_marker(&mut self, name: &str, range: Range<usize>) -> Expr {
        self.unknown.push(ExprFault {
            range,
            message: format!("没有叫 `{name}` 的标记、指标或元数据"),
            unknown_name: Some(name.to_string()),
        });
        Expr::Marker(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> Result<Expr, Vec<ExprFault>> {
        parse(source, &|name| ["negative", "urge", "empathy"].iter().position(|n| *n == name).map(|i| i as u16))
    }

    #[test]
    fn precedence_is_or_and_then_not() {
        assert_eq!(
            read("negative or urge and not empathy").unwrap(),
            Expr::Or(vec![Expr::Marker(0), Expr::And(vec![Expr::Marker(1), Expr::Not(Box::new(Expr::Marker(2)))])])
        );
        assert_eq!(
            read("negative then empathy and urge").unwrap(),
            Expr::And(vec![Expr::Then(Box::new(Expr::Marker(0)), Box::new(Expr::Marker(2))), Expr::Marker(1)])
        );
    }

    #[test]
    fn fields_and_counts() {
        assert_eq!(
            read("first_response > 30s").unwrap(),
            Expr::Field(Field::Metric(crate::metrics::Metric::FirstResponse), Compare::More, Value::Number(30_000))
        );
        assert_eq!(read("first_response > 30").unwrap(), read("first_response > 30s").unwrap());
        assert_eq!(read("count(urge) >= 2").unwrap(), Expr::Count(1, Compare::AtLeast, 2));
        assert_eq!(
            read("channel == \"phone\"").unwrap(),
            Expr::Field(Field::Meta(Meta::Channel), Compare::Equal, Value::Text("phone".into()))
        );
        assert_eq!(read("repeat(agent, 3)").unwrap(), Expr::Repeat(Role::Agent, 3));
    }

    #[test]
    fn faults_name_the_place() {
        for (source, range) in [
            ("negative and", 12..12),
            ("negtive", 0..7),
            ("(negative", 9..9),
            ("negative urge", 9..13),
            ("channel == phone", 11..16),
            ("count(urge)", 11..11),
            ("first_response > soon", 17..21),
        ] {
            let faults = read(source).unwrap_err();
            assert_eq!(faults[0].range, range, "{source}: {faults:?}");
        }
    }

    #[test]
    fn all_unknown_names_are_reported() {
        let faults = read("foo and bar or negative").unwrap_err();
        let names: Vec<_> = faults.iter().filter_map(|f| f.unknown_name.as_deref()).collect();
        assert_eq!(names, ["foo", "bar"]);
    }
}
