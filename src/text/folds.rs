//! What the squeezed view writes the same: look-alikes, homophones used as disguise, split characters, emoji that
//! stand for a word, and Chinese numerals. Data, not code: add a line here and both turns and phrases follow.
//!
//! Two steps, the same for turns and for phrases:
//! 1. [`CHARACTERS`], character by character, while punctuation and emoji are removed;
//! 2. [`WORDS`] on what is left, the longest match winning. `not_before` and `not_after` list the characters beside
//!    which a word is innocent (维信 is 微信, but 运维信息 is not; 打扫马桶 has no 扫码 in it). [`INNOCENT`] words are
//!    never touched.
//!
//! A fold belongs here only if what it is made of is no everyday word. 家微→加微 (商家微信), 地一→第一 (目的地一样),
//! 腿款→退款 (阔腿款), 征信→微信, 墨迹→磨叽, 辣几→垃圾 (多辣几个) do not: a pack lists those as phrases with exceptions.

/// Characters (each one of the first text) and what they become.
#[rustfmt::skip]
pub(super) const CHARACTERS: &[(&str, &str)] = &[
    // Chinese numerals. 两 and 十 stay: they are no digits.
    ("零〇", "0"), ("一壹幺", "1"), ("二贰", "2"), ("三叁", "3"), ("四肆", "4"), ("五伍", "5"), ("六陆", "6"),
    ("七柒", "7"), ("八捌", "8"), ("九玖", "9"),
    // 微信
    ("薇葳徽溦嶶癓媺覹矀", "微"), ("芯訫伩伈囟✉", "信"),
    // 加: the sign + has its own rule in squeeze.rs
    ("➕伽枷珈迦泇", "加"),
    // Other disguised characters
    ("佧", "卡"), ("伻枰泙", "评"), ("仮", "返"), ("勹", "包"), ("蕞朂嘬樶", "最"), ("葆", "保"), ("衮", "滚"),
    ("儍", "傻"),
    // Emoji that are read as a word
    ("🐧", "qq"), ("🧧", "红包"), ("☎📞", "电话"), ("📱", "手机"), ("💰💴💵💸🪙", "钱"), ("🐷🐖🐽", "猪"),
    ("🐶🐕", "狗"), ("💩", "屎"), ("🐢", "龟"), ("🫏", "驴"), ("💀☠", "死"), ("🔪🗡", "刀"), ("🐔🐓", "鸡"),
    ("🐎🐴", "妈"), ("🌶", "辣"),
];

/// A group of words that become another.
pub(super) struct Words {
    /// What is found; each as a person would type it.
    pub from: &'static str,
    /// What it becomes.
    pub to: &'static str,
    /// A word followed by one of these characters is innocent.
    pub not_before: &'static str,
    /// A word preceded by one of these characters is innocent.
    pub not_after: &'static str,
}

const fn words(from: &'static str, to: &'static str) -> Words {
    Words { from, to, not_before: "", not_after: "" }
}

const fn unless(from: &'static str, to: &'static str, not_before: &'static str, not_after: &'static str) -> Words {
    Words { from, to, not_before, not_after }
}

/// Words and what they become. A word may be given with the spaces or emoji people put in: they are removed first.
#[rustfmt::skip]
pub(super) const WORDS: &[Words] = &[
    // Split characters
    words("亻言 イ言 亻訁", "信"), unless("力口", "加", "味感碑罩才红径袋", "能实压动电听克马潜"), words("扌口", "扣"), words("讠平", "评"), words("讠斥", "诉"),
    words("钅戋", "钱"), words("辶反", "返"), words("纟工", "红"), words("亻寸", "付"), words("亻呆", "保"),
    words("返王见", "返现"), words("扫石马", "扫码"), words("维石马", "维码"), words("木几", "机"),
    // 微信, QQ, 加
    unless("威信 维信 喂信 围信 卫信 危信 唯信 味信 惟信 崴信", "微信", "息号用任心誉箱封赖仰念服诺", ""),
    unless("v信", "微信", "", "abcdefghijklmnopqrstuvwxyz0123456789"),
    unless("架微", "加微", "", "书框货支打衣车吊"), unless("嘉微 佳微 咖微", "加微", "", "最更俱上绝"),
    unless("扣扣", "qq", "扣上住子好不紧分钱款除", "扣卡纽暗带皮搭锁"), words("叩叩 抠抠 蔻蔻 寇寇 釦釦 筘筘", "qq"),
    words("加球球 加秋秋 加丘丘 加邱邱", "加qq"), words("球球号 秋秋号 丘丘号 邱邱号", "qq号"),
    unless("扫马", "扫码", "桶路上", ""), words("扫玛 扫犸 骚码 嫂码", "扫码"),
    // Money, reviews
    words("芝付 支附 吱付 支傅", "支付"), words("转帐 转胀 砖账", "转账"),
    unless("反现", "返现", "在", "相违"), unless("饭现", "返现", "在做场成", ""), unless("返线", "返现", "下上", ""),
    unless("返县", "返现", "城", ""), words("泛现 返馅 返见 返苋", "返现"), unless("反利", "返利", "用益", "相违"),
    unless("好苹", "好评", "果", ""), words("好坪 好抨 妤评 妤坪 妤平 妤苹 郝评 恏评", "好评"),
    unless("叉平", "差评", "", "分"), words("叉评 岔评 差坪 茬评 差抨 羞评", "差评"), words("锥评 追坪", "追评"),
    unless("五醒 五腥", "五星", "", "第"), unless("虹包", "红包", "", "彩霓"),
    words("宏包 洪包 红苞 葒包 荭包 鸿包", "红包"),
    // Telephone, password, identity
    unless("电活", "电话", "动跃性", "充"), unless("店话", "电话", "费术题", ""), unless("手几", "手机", "个天乎次", ""),
    words("蜜马 蜜码 密马 咪码 宓码 密玛 蜜玛 密犸", "密码"), unless("米马", "密码", "桶上", ""),
    words("言证 研证 验争 焰证 厌证 眼证 验政", "验证"), unless("验正", "验证", "品常确版", ""),
    unless("身分", "身份", "别开成离为", ""), words("申份 身忿 伸份", "身份"), words("帐号", "账号"),
    words("银杭", "银行"),
    // Absolute claims and promises
    unless("弟一", "第一", "起样家直个共般", "兄表堂小"),
    unless("决对", "绝对", "方策于象手待此比", "解坚否表判裁处"), words("绝怼 绝队 决怼", "绝对"),
    words("葆证 堡证 褓证", "保证"), unless("保正", "保证", "品常确版规面当好在", "确"),
    unless("宝证", "保证", "书件明", "珠财支"), words("啃定 肯订", "肯定"),
    // Abuse
    unless("傻比", "傻逼", "较赛", ""),
    words("煞笔 煞比 煞逼 沙币 沙逼 砂笔 傻b 傻x 傻币 傻叉 傻鼻 傻批 傻哔 傻缺 傻吊 傻屌", "傻逼"),
    unless("脑参 脑惨 脑孱 脑蚕 恼残 垴残", "脑残", "数考加照与赛谋", "电"),
    unless("纸杖 智帐 智账 制杖 治障 智杖 志障 滞胀 智仗 质障", "智障", "碍", ""), words("若智 弱治 偌智", "弱智"),
    words("拉圾 拉鸡 垃级 垃及 垃鸡", "垃圾"),
    unless("辣鸡", "垃圾", "腿翅爪块丁肉排胗脖脚汤杂尖蛋米架锁公煲柳串心丝胸翼味火", "麻香酸微变不中特爆超甜咸油糊泡要"),
    words("尼玛 妮妈 尼妈", "你妈"), unless("男道", "难道", "歉具士", ""), words("楠道", "难道"),
    words("起肃 启诉", "起诉"), unless("起素", "起诉", "材食描", ""), unless("气诉", "起诉", "求说苦", ""),
    words("穿票", "传票"), unless("头诉", "投诉", "求说", "口"), words("投素 投肃", "投诉"), words("忒款", "退款"),
    words("磨唧 墨叽 墨唧 摩叽 摸叽", "磨叽"),
];

/// Innocent words that hold a folded character, as step one leaves them, and what they stay.
pub(super) const INNOCENT: &[(&str, &str)] = &[("微信片", "微芯片"), ("瑜加", "瑜伽"), ("释加", "释迦")];
