//! `rules new`: commented templates to start from; nothing is ever overwritten.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use zhijian::error::{Error, Result};
use zhijian::pack::{Pack, template};

use super::{Outcome, PackArgs};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 新建一个标记(markers/编号.toml)
    Marker(FileArgs),
    /// 新建一条规则(rules/编号.toml)
    Rule(FileArgs),
    /// 新建本店规则包:继承内置规则包,只写不同的地方
    Pack {
        /// 放在哪个目录(目录名就是规则包编号)
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct FileArgs {
    /// 编号:小写字母、数字;标记用下划线(group_buy),规则用连字符(group-buy)
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    pack: PackArgs,
}

pub fn run(args: &Args) -> Result<Outcome> {
    match &args.what {
        What::Marker(args) => file(args, "markers", '_', |id, dir, _| Ok(template::marker(id, dir))),
        What::Rule(args) => file(args, "rules", '-', |id, dir, pack| {
            let lacking = "规则包里还没有维度,或没有客户、客服两方的标记;先建标记(zhijian rules new marker)再建规则";
            template::rule(id, dir, pack).ok_or_else(|| Error::Other(lacking.into()))
        }),
        What::Pack { dir } => pack(dir),
    }
}

fn file(
    args: &FileArgs,
    folder: &str,
    separator: char,
    text: impl FnOnce(&str, &str, &Pack) -> Result<String>,
) -> Result<Outcome> {
    let root = args.pack.folder()?;
    if !template::valid_id(&args.id, separator) {
        let reason = format!("`{}` 不能作编号:以小写字母开头,只用小写字母、数字和 {separator}", args.id);
        return Err(Error::Setting { option: "ID".into(), reason });
    }
    let pack = Pack::load(&args.pack.files()?)?;
    let inherited = pack.marker(&args.id).is_some() || pack.rule(&args.id).is_some();
    let path = root.join(folder).join(format!("{}.toml", args.id));
    if inherited && !path.exists() {
        let reason = format!(
            "`{}` 在继承的规则包里已经有了;要改它就写进 {} 的 [marker.{}] 或 [rule.{}]",
            args.id,
            root.join("pack.toml").display(),
            args.id,
            args.id
        );
        return Err(Error::Setting { option: "ID".into(), reason });
    }
    let dir = root.display().to_string();
    write_new(&path, &text(&args.id, &dir, &pack)?)?;
    let kind = if folder == "markers" { "标记" } else { "规则" };
    writeln_out!("已建{kind} {}\n打开它,照里面的说明改;改完运行:", path.display());
    writeln_out!("  zhijian rules check --rules {dir}\n  zhijian rules test {} --rules {dir}", args.id);
    Ok(Outcome::Done)
}

fn pack(dir: &Path) -> Result<Outcome> {
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let id: String = name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    let id = if id.is_empty() { "my-shop".to_string() } else { id };
    let path = dir.join("pack.toml");
    if path.exists() {
        return Err(exists(&path));
    }
    for folder in ["markers", "rules"] {
        let folder = dir.join(folder);
        std::fs::create_dir_all(&folder).map_err(|e| Error::write(&folder, e))?;
    }
    let shown = dir.display().to_string();
    write_new(&path, &template::pack(&id, &shown))?;
    writeln_out!("已建本店规则包 {}\n打开它改分值、开关和短语;检查和使用:", path.display());
    writeln_out!("  zhijian rules check --rules {shown}\n  zhijian inspect 会话.jsonl --rules {shown} --out 结果");
    writeln_out!("要加自己的标记和规则:\n  zhijian rules new marker 编号 --rules {shown}");
    Ok(Outcome::Done)
}

fn exists(path: &Path) -> Error {
    Error::Other(format!("{} 已经存在,没有改动它;换个编号,或直接编辑这个文件", path.display()))
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::write(folder, e))?;
    }
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = match created {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => return Err(exists(path)),
        Err(e) => return Err(Error::write(path, e)),
    };
    file.write_all(text.as_bytes()).map_err(|e| Error::write(path, e))
}
