//! Every code a pack diagnostic can carry, in one table. The reference of `rules check` is made from it and a test
//! keeps codes unique and each one shown by a fixture.

/// A diagnostic code with what it means and what to do.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// The stable name.
    pub name: &'static str,
    /// True when the pack cannot be used with it.
    pub error: bool,
    /// What it means, in Chinese.
    pub meaning: &'static str,
}

macro_rules! codes {
    ($($konst:ident $name:literal $error:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $konst: Code = Code { name: $name, error: $error, meaning: $meaning };)*
        /// All codes.
        pub const ALL: &[Code] = &[$($konst),*];
    };
}

codes! {
    SYNTAX "syntax" true "文件不是合法的 TOML";
    UNKNOWN_KEY "unknown-key" true "不认识的键(多半是拼写错误)";
    MISSING_KEY "missing-key" true "缺少必填的键";
    WRONG_TYPE "wrong-type" true "值的类型不对(如该写列表却写了文字)";
    BAD_VALUE "bad-value" true "值不在允许的范围内";
    BAD_REGEX "bad-regex" true "正则表达式写错或不受支持";
    BAD_EXPRESSION "bad-expression" true "条件表达式写错";
    UNKNOWN_MARKER "unknown-marker" true "用到了没有定义的标记";
    UNKNOWN_RULE "unknown-rule" true "用到了没有定义的规则";
    UNKNOWN_DIMENSION "unknown-dimension" true "评分卡里没有这个维度";
    UNKNOWN_METRIC "unknown-metric" true "没有这个指标";
    UNKNOWN_LIST "unknown-list" true "pack.toml 的 lists 一段里没有这个短语表";
    DUPLICATE_ID "duplicate-id" true "两个文件用了同一个编号";
    FILE_NAME "file-name" true "文件名与里面的 id 不一致";
    MARKER_CYCLE "marker-cycle" true "标记之间互相引用成环";
    RULE_CYCLE "rule-cycle" true "规则的 after_rule 互相等待";
    NO_PATTERN "no-pattern" true "标记没有任何短语、正则或邻近条件";
    NO_EXAMPLE "no-example" true "没有例子:至少要一个命中和一个不命中";
    EMPTY_PHRASE "empty-phrase" true "短语归一化后为空,永远不会命中";
    NEVER_MATCHES "never-matches" false "短语在这种视图下永远不会命中";
    DUPLICATE_PHRASE "duplicate-phrase" false "同一段里重复的短语";
    SHADOWED_PHRASE "shadowed-phrase" true "短语同时写成了例外,永远不会命中";
    MATCHES_EVERYTHING "matches-everything" false "正则能匹配空文本,等于什么都命中";
    UNUSED_MARKER "unused-marker" false "没有规则或标记用到这个标记";
    WEIGHTS "weights" true "维度权重不合理";
    MISSING_FILE "missing-file" true "规则包缺少文件";
    UNREACHABLE "unreachable" false "这一段条件永远不可能成立";
    ROLE_CONFLICT "role-conflict" false "标记、段落或规则里客服与客户弄反了";
    NO_EFFECT "no-effect" false "写了但不起作用";
    CONTRADICTING_RULES "contradicting-rules" false "一条规则要求的,另一条规则禁止";
    DUPLICATE_RULE "duplicate-rule" false "两条规则的条件完全相同,同一件事扣两次分";
    WAITS_IN_VAIN "waits-in-vain" false "after_rule 等待的规则已关闭";
    SHARED_PHRASE "shared-phrase" false "几个标记有同一条短语(只在 --pedantic 时提示)";
    CONTRADICTION "contradiction" true "规则自相矛盾,永远不会命中或总是命中";
}
