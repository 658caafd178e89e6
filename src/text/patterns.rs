//! Entities with a shape rather than a number: links, e-mail, accounts, addresses, names, days, sums of money. Each
//! pattern is tried only where a character it cannot do without is in the text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::entity::{Entity, EntityKind};
use super::numbers;
use super::plate::is_province;

/// What a text holds: which patterns are worth trying.
#[derive(Clone, Copy, Default)]
pub(super) struct Hints {
    /// Digits and Chinese numerals.
    pub digits: usize,
    at: bool,
    dot: bool,
    day: bool,
    money: bool,
    house: bool,
    account: bool,
    person: bool,
    plate: bool,
}

impl Hints {
    /// Looks at each character once.
    pub(super) fn of(text: &str) -> Hints {
        let mut hints = Hints::default();
        let mut previous = '\0';
        let mut counted = false;
        for c in text.chars() {
            let after_number = counted;
            counted = false;
            if !c.is_ascii() && !is_telling(c) {
                previous = c;
                continue;
            }
            hints.plate |= c.is_ascii_alphanumeric() && is_province(previous);
            match c {
                '0'..='9' => {
                    hints.digits += 1;
                    counted = true;
                }
                '@' => hints.at = true,
                '.' | '/' | '-' => {
                    hints.dot |= c != '-';
                    hints.day |= after_number;
                    hints.house |= after_number && c == '-';
                }
                'q' | 'w' | 'x' | 'Q' | 'W' | 'X' => hints.account = true,
                '¥' | '$' => hints.money = true,
                'a'..='z' | 'A'..='Z' | ' ' => {
                    hints.money |= c == 'b' && previous == 'm';
                    counted = after_number;
                }
                '\0'..='\x7f' => {}
                '月' | '年' => hints.day |= after_number,
                '元' => {
                    hints.money |= after_number;
                    hints.house |= previous == '单';
                }
                '块' | '毛' | '角' | '美' => hints.money |= after_number,
                '号' | '栋' | '幢' | '楼' | '室' | '弄' | '座' => hints.house |= after_number,
                '十' | '百' | '千' | '万' | '两' | '几' => counted = true,
                '信' => hints.account |= matches!(previous, '微' | '薇' | '威' | 'v'),
                '鹅' => hints.account |= previous == '企',
                '宝' => hints.account |= previous == '付',
                '扣' => hints.account |= previous == '扣',
                '生' => hints.person |= previous == '先',
                '士' => hints.person |= previous == '女',
                '姐' => hints.person |= previous == '小',
                '人' => hints.person |= matches!(previous, '件' | '货' | '系' | '卡' | '保' | '收'),
                '名' => hints.person |= matches!(previous, '姓' | '户'),
                '叫' => hints.person |= matches!(previous, '我' | '字'),
                '主' => hints.person |= previous == '机',
                _ if numbers::digit(c).is_some() => {
                    hints.digits += 1;
                    counted = true;
                }
                _ => {}
            }
            previous = c;
        }
        hints
    }

    /// True when nothing personal can be in the text.
    pub(super) fn nothing_personal(self) -> bool {
        let plate = self.plate && self.digits >= 2;
        self.digits < 5 && !self.at && !self.person && !plate && !(self.digits > 0 && (self.house || self.account))
    }
}

/// The characters beyond ASCII that [`Hints::of`] has to look at, as a bit each: nearly all others are passed over.
static TELLING: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut bits = vec![0u64; 1024];
    let numerals = ('\u{3000}'..='\u{9FFF}').filter(|&c| numbers::digit(c).is_some());
    for c in "¥月年元块毛角美号栋幢楼室弄座十百千万两几信扣鹅宝生士姐人名叫主".chars().chain(numerals)
    {
        bits[c as usize / 64] |= 1 << (c as usize % 64);
    }
    bits
});

#[inline]
fn is_telling(c: char) -> bool {
    TELLING.get(c as usize / 64).is_some_and(|bits| bits >> (c as usize % 64) & 1 != 0)
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of entities are valid")
}

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| regex(r"[a-z0-9][a-z0-9._%+\-]*@[a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z]{2,}"));
static URL: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?:https?://|www\.)[^\s\p{Han},。、“”‘’《》()<>]+",
        r"|(?-u:\b)[a-z0-9][a-z0-9\-]*(?:\.[a-z0-9\-]+)*\.(?:com|cn|net|org|vip|top|shop|xyz|cc|hk|tw|app|link|ltd|co|io)(?-u:\b)",
        r"(?:/[^\s\p{Han},。、“”‘’《》()<>]*)?",
    ))
});
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?:qq|q号|扣扣|企鹅|微信|薇信|威信|[vw]x|v信|加v|wechat|weixin|支付宝)(?:[账帐]?号码?|[账帐]户|群|id)?[\s:是为]{0,3}([a-z0-9][a-z0-9_\-]{4,19})",
    )
});
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?:[0-9]{4}|[0-9]{2})年[0-9]{1,2}月(?:[0-9]{1,2}[日号]?)?|(?-u:\b)(?:19|20)[0-9]{2}[\-/.][0-9]{1,2}[\-/.][0-9]{1,2}(?-u:\b)|[0-9]{1,2}月[0-9]{1,2}[日号]",
        r"|[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号]",
    ))
});
static MONEY: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"[¥$]\s?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?[万千wk]?",
        r"|[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?\s?[万千百]?\s?(?:元|块钱?|rmb|美元|美金|毛钱|毛|角)",
        r"|[一二三四五六七八九十百千万两几]+(?:元|块钱|毛钱)",
    ))
});
static HOUSE: LazyLock<Regex> = LazyLock::new(|| {
    let unit = "(?:号楼|号院|号|弄|栋|幢|座|楼|层|单元|室|房|户|组|巷)";
    let house = "(?:号楼|号院|号|弄|栋|幢|座|单元|组|巷)";
    let number = "[0-9一二三四五六七八九十百零]{1,5}[a-z]?(?:-[0-9]{1,4}){0,2}";
    regex(&format!(
        "(?:路|街|大道|巷|弄|胡同|村|镇|乡|小区|花园|公寓|大厦|广场|苑|园)\\p{{Han}}{{0,6}}?{number}{house}\\s?(?:{number}{unit}\\s?)*(?:[0-9]{{2,5}}(?-u:\\b))?\
         |{number}(?:栋|幢|号楼|座|单元)\\s?(?:{number}{unit}\\s?)+(?:[0-9]{{2,5}}(?-u:\\b))?\
         |{number}(?:栋|幢|号楼|单元)\\s?[0-9]{{2,5}}(?-u:\\b)\
         |[a-z]座\\s?[0-9]{{3,4}}(?-u:\\b)|{number}(?:楼|层)\\s?(?:[0-9]{{4}}(?-u:\\b)|[0-9]{{3,4}}(?:室|户|房))\
         |(?:小区|花园|公寓|苑|园|城|里)[0-9]{{1,3}}-[0-9]{{1,2}}-[0-9]{{2,4}}(?-u:\\b)"
    ))
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?:收货人|收件人|寄件人|签收人|联系人|持卡人|投保人|姓名|机主|户名|名字|我叫)(?:姓名)?",
        r"(?:\s?(?:改为|改成|[:=是叫为写])|叫|\s)\s?(\p{Han}{2,4})(?:就行|就好|[^\p{Han}]|$)",
        r"|我叫(\p{Han}{2,4})(?:[^\p{Han}]|$)",
    ))
});

/// Appends the entities of a plain text.
pub(super) fn find(plain: &str, hints: Hints, found: &mut Vec<Entity>) {
    let mut add = |kind, range: Range<usize>| found.push(Entity { kind, start: range.start, end: range.end });
    if hints.at {
        EMAIL.find_iter(plain).for_each(|m| add(EntityKind::Email, m.range()));
    }
    if hints.dot {
        for m in URL.find_iter(plain) {
            // The host of an e-mail address is no link.
            if !plain[..m.start()].ends_with('@') {
                let trimmed = m.as_str().trim_end_matches(['.', '!', '?', ';', ':', '~']);
                add(EntityKind::Url, m.start()..m.start() + trimmed.len());
            }
        }
    }
    if hints.account {
        for captures in ACCOUNT.captures_iter(plain) {
            if let Some(name) = captures.get(1)
                && name.as_str().bytes().any(|b| b.is_ascii_digit())
                && name.as_str().bytes().filter(u8::is_ascii_alphanumeric).count() >= 5
            {
                add(EntityKind::Account, name.range());
            }
        }
    }
    if hints.day {
        DAY.find_iter(plain).for_each(|m| add(EntityKind::Date, m.range()));
    }
    if hints.money {
        for m in MONEY.find_iter(plain) {
            if is_sum(m.as_str(), &plain[m.end()..]) {
                add(EntityKind::Amount, m.range());
            }
        }
    }
    if hints.house && hints.digits > 0 {
        HOUSE
            .find_iter(plain)
            .for_each(|m| add(EntityKind::Address, m.start()..m.start() + m.as_str().trim_end().len()));
    }
    if hints.person {
        find_names(plain, &mut add);
    }
}

/// 三块 may be pieces and 5元 may go on to 元件: only what is followed by no noun is a sum.
fn is_sum(sum: &str, rest: &str) -> bool {
    let next = rest.chars().next();
    if sum.ends_with('块') {
        return next.is_none_or(|c| {
            !super::squeeze::is_han(c) || "的吧啊呢了左多以都还能可就优红一两三四五六七八九".contains(c)
        });
    }
    if sum.ends_with(['角', '毛']) {
        return next.is_none_or(|c| !super::squeeze::is_han(c));
    }
    !(sum.ends_with('元') && next.is_some_and(|c| "件素旦宵宝气".contains(c)))
}

const TITLES: [&str; 3] = ["先生", "女士", "小姐"];

/// The hundred most common surnames, and some more.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝";
const DOUBLE_SURNAMES: [&str; 12] =
    ["欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "司徒"];
/// Characters that end what stands before a name, and are no part of one.
const BEFORE_NAMES: &str = "的是叫找给和与跟您好请问位为这那有个在对让等说我你他她系人亲把被由到帮替以及姓了";

fn find_names(plain: &str, add: &mut impl FnMut(EntityKind, Range<usize>)) {
    for title in TITLES {
        for (at, _) in plain.match_indices(title) {
            if title == "小姐" && plain[at + title.len()..].starts_with(['姐', '妹']) {
                continue;
            }
            if let Some(start) = name_before(plain, at) {
                add(EntityKind::PersonName, start..at + title.len());
            }
        }
    }
    for captures in NAMED.captures_iter(plain) {
        if let Some(name) = captures.get(1).or(captures.get(2))
            && (name.as_str().starts_with(|c| SURNAMES.contains(c)) && name.as_str().chars().count() <= 3
                || DOUBLE_SURNAMES.iter().any(|s| name.as_str().starts_with(s)))
        {
            add(EntityKind::PersonName, name.range());
        }
    }
}

/// Where the name before a title begins: surname and at most two more characters.
fn name_before(plain: &str, title: usize) -> Option<usize> {
    let mut last = ['\0'; 4];
    let mut starts = [title; 4];
    for (slot, (at, c)) in plain[..title].char_indices().rev().take(4).enumerate() {
        last[slot] = c;
        starts[slot] = at;
    }
    let surname = |slot: usize| SURNAMES.contains(last[slot]) && last[slot] != '\0';
    let free = |slot: usize| slot > 3 || !super::squeeze::is_han(last[slot]) || BEFORE_NAMES.contains(last[slot]);
    let double = |slot: usize| DOUBLE_SURNAMES.iter().any(|s| plain[starts[slot]..].starts_with(s));
    if last[0] == '\0' || !super::squeeze::is_han(last[0]) {
        return None;
    }
    if let Some(slot) = (1..4).find(|&slot| last[slot] != '\0' && double(slot)) {
        return Some(starts[slot]);
    }
    if surname(0) && free(1) {
        return Some(starts[0]);
    }
    if surname(1) && !free(0) && free(2) {
        return Some(starts[1]);
    }
    if surname(2) && !free(1) && !free(0) {
        return Some(starts[2]);
    }
    if surname(1) && !free(0) {
        return Some(starts[1]);
    }
    surname(0).then_some(starts[0])
}

/// How many characters of a name before a title are its surname.
pub(super) fn surname_len(name: &str) -> usize {
    DOUBLE_SURNAMES
        .iter()
        .find(|s| name.starts_with(*s))
        .map_or_else(|| name.chars().next().map_or(0, char::len_utf8), |s| s.len())
}

#[cfg(test)]
mod tests {
    use super::super::entity::entities;

    fn found(plain: &str) -> Vec<String> {
        let mut out = Vec::new();
        entities(plain, &mut out);
        out.iter().map(|e| format!("{}:{}", e.kind.as_str(), &plain[e.start..e.end])).collect()
    }

    #[test]
    fn shapes_are_found() {
        for (text, expect) in [
            ("发到zhang.san@qq.com吧", vec!["email:zhang.san@qq.com"]),
            ("@小明", vec![]),
            ("看https://a.cn/x?id=1。", vec!["url:https://a.cn/x?id=1"]),
            ("www.taobao.com,", vec!["url:www.taobao.com"]),
            ("去jd.com看", vec!["url:jd.com"]),
            ("v1.2", vec![]),
            ("加qq12345678", vec!["account:12345678"]),
            ("微信号:abc_123", vec!["account:abc_123"]),
            ("qq音乐", vec![]),
            ("2024年11月5日", vec!["date:2024年11月5日"]),
            ("2024-11-05前", vec!["date:2024-11-05"]),
            ("12月5号", vec!["date:12月5号"]),
            ("十一月十一日", vec!["date:十一月十一日"]),
            ("3个月", vec![]),
            ("¥99.9,20元,1,000.5元", vec!["amount:¥99.9", "amount:20元", "amount:1,000.5元"]),
            ("便宜五十块钱", vec!["amount:五十块钱"]),
            ("退你5块吧", vec!["amount:5块"]),
            ("3块电池,5元件", vec![]),
            ("中山路12号3栋502室", vec!["address:路12号3栋502室"]),
            ("幸福小区3号楼2单元501", vec!["address:小区3号楼2单元501"]),
            ("3栋502", vec!["address:3栋502"]),
            ("12号发货,知道12号,这里3号", vec![]),
            ("北京路医院的一楼", vec![]),
            ("5楼", vec![]),
            ("王小明先生您好", vec!["person_name:王小明先生"]),
            ("请问是王先生吗", vec!["person_name:王先生"]),
            ("找张丽女士", vec!["person_name:张丽女士"]),
            ("欧阳娜娜小姐", vec!["person_name:欧阳娜娜小姐"]),
            ("小姐姐,先生您好", vec![]),
            ("收货人:李雷,电话", vec!["person_name:李雷"]),
            ("收货人:地址不对", vec![]),
        ] {
            assert_eq!(found(text), expect, "{text}");
        }
    }
}
