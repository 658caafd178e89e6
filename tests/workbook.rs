//! The workbook, read back cell by cell: what stands in it is what the other outputs say, its links lead somewhere, and
//! nothing that comes from outside is more than text.

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use calamine::{Data, Range, Reader, Xlsx, open_workbook};
use common::{hostile, lines, root, with_night, zhijian};
use zhijian::report::night::Night;
use zhijian::report::workbook::{self, Limits, Sources};

const SHEETS: [&str; 7] = ["总览", "坐席", "维度", "规则", "违规明细", "会话", "指标口径"];

fn inspect(input: &Path, out: &Path, more: &[&str]) {
    zhijian().arg("inspect").arg(input).args(["--quiet", "--out"]).arg(out).args(more).assert().success();
}

fn nightly(out: &Path, more: &[&str]) {
    inspect(&root().join("fixtures/nightly"), out, more);
}

/// A sheet as rows of cells by the titles of its header.
struct Table {
    titles: Vec<String>,
    /// Excel's number of the first row below the header.
    first: usize,
    rows: Vec<Vec<Data>>,
}

impl Table {
    fn read(range: &Range<Data>, first_title: &str) -> Table {
        let mut rows = range.rows().enumerate();
        let (at, header) = rows.by_ref().find(|(_, r)| r[0] == *first_title).expect(first_title);
        let titles = header.iter().map(Data::to_string).collect();
        Table { titles, first: at + 2, rows: rows.map(|(_, r)| r.to_vec()).collect() }
    }

    fn column(&self, title: &str) -> usize {
        self.titles.iter().position(|t| t == title).unwrap_or_else(|| panic!("no column {title}: {:?}", self.titles))
    }

    fn cells(&self, title: &str) -> Vec<&Data> {
        let column = self.column(title);
        self.rows.iter().map(|row| &row[column]).collect()
    }

    fn texts(&self, title: &str) -> Vec<String> {
        self.cells(title).into_iter().map(Data::to_string).collect()
    }
}

fn table(path: &Path, sheet: &str, first_title: &str) -> Table {
    let mut book: Xlsx<_> = open_workbook(path).unwrap();
    Table::read(&book.worksheet_range(sheet).unwrap(), first_title)
}

/// A file inside the workbook.
fn part(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Rows of a CSV by header.
fn csv_rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let bytes = std::fs::read(path).unwrap();
    let mut reader = csv::Reader::from_reader(&bytes[3..]);
    reader.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn every_sheet_says_what_the_other_outputs_say() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    nightly(&out, &[]);
    let path = out.join("scorecards.xlsx");
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    assert_eq!(book.sheet_names(), SHEETS);

    // 坐席: numbers as numbers, shares as fractions, the same as the CSV's.
    let agents = table(&path, "坐席", "客服ID");
    let csv = csv_rows(&out.join("scorecards.csv"));
    assert_eq!(agents.rows.len(), csv.len());
    for (row, record) in agents.rows.iter().zip(&csv) {
        let cell = |title: &str| &row[agents.column(title)];
        assert_eq!(cell("客服ID"), &Data::String(record["客服ID"].clone()));
        assert_eq!(cell("会话数"), &Data::Float(record["会话数"].parse().unwrap()));
        let Data::Float(pass) = cell("合格率") else { panic!("{:?}", cell("合格率")) };
        assert_eq!(format!("{:.1}", pass * 100.0), record["合格率%"]);
        let Data::Float(score) = cell("平均分") else { panic!() };
        assert_eq!(format!("{score:.1}"), record["平均分"]);
        assert_eq!(cell("样本").to_string(), record["样本"]);
    }
    // 规则.
    let rules = table(&path, "规则", "规则");
    let csv = csv_rows(&out.join("rules.csv"));
    assert_eq!(rules.rows.len(), csv.len());
    for (title, of_csv) in [("适用会话", "适用次数"), ("命中会话", "命中次数"), ("违规条数", "违规条数")]
    {
        let numbers: Vec<_> = csv.iter().map(|r| r[of_csv].clone()).collect();
        assert_eq!(rules.texts(title), numbers, "{title}");
    }
    // 违规明细 and 会话: a row each, in input order.
    let records = lines(&std::fs::read(out.join("conversations.jsonl")).unwrap());
    let conversations = table(&path, "会话", "会话ID");
    let ids: Vec<_> = records.iter().map(|r| r["conversation_id"].as_str().unwrap().to_string()).collect();
    assert_eq!(conversations.texts("会话ID"), ids);
    for (row, record) in conversations.rows.iter().zip(&records) {
        let score = match record["score"].as_f64() {
            Some(score) => Data::Float(score),
            None => Data::Empty,
        };
        assert_eq!(row[conversations.column("得分")], score, "{record}");
        let seconds = record["metrics"]["handle_time"].as_f64().map_or(Data::Empty, Data::Float);
        assert_eq!(row[conversations.column("处理时长")], seconds);
    }
    let findings = table(&path, "违规明细", "会话ID");
    let of_records: Vec<_> = records
        .iter()
        .flat_map(|r| {
            r["findings"].as_array().unwrap().iter().map(move |f| (r["conversation_id"].as_str().unwrap(), f))
        })
        .collect();
    // As many as the rules' table counts, beside those left to a person; more than the night has conversations.
    let counted: usize = csv_rows(&out.join("rules.csv")).iter().map(|r| r["违规条数"].parse::<usize>().unwrap()).sum();
    assert_eq!(of_records.iter().filter(|(_, finding)| finding["review"] != true).count(), counted);
    assert!(of_records.len() > records.len(), "{} findings", of_records.len());
    assert_eq!(findings.rows.len(), of_records.len());
    for (row, (id, finding)) in findings.rows.iter().zip(of_records) {
        let cell = |title: &str| &row[findings.column(title)];
        assert_eq!(cell("会话ID").to_string(), id);
        assert_eq!(cell("规则").to_string(), finding["rule"].as_str().unwrap());
        assert_eq!(cell("分值"), &Data::Float(finding["points"].as_f64().unwrap()));
        assert_eq!(cell("第几条"), &Data::Float(finding["turn"].as_f64().unwrap() + 1.0));
        let words = |t: &str| t.split_whitespace().collect::<String>();
        assert_eq!(words(&cell("原话").to_string()), words(finding["quote"].as_str().unwrap()));
    }
    // 指标口径 explains every column of every sheet.
    let glossary = table(&path, "指标口径", "工作表");
    let explained: Vec<_> = glossary.texts("工作表").into_iter().zip(glossary.texts("列")).collect();
    for (sheet, first) in
        [("坐席", "客服ID"), ("维度", "范围"), ("规则", "规则"), ("违规明细", "会话ID"), ("会话", "会话ID")]
    {
        for title in table(&path, sheet, first).titles {
            assert!(explained.contains(&(sheet.to_string(), title.clone())), "{sheet} {title}");
        }
    }
    assert!(glossary.texts("口径").iter().all(|about| !about.is_empty()));
    // 总览 begins with a sentence; every figure has its cases.
    let overview = book.worksheet_range("总览").unwrap();
    assert!(overview.get((1, 0)).unwrap().to_string().starts_with("共 300 通会话,评判 294 通;合格率 "));
    let figures = Table::read(&overview, "指标");
    let pass = figures.rows.iter().find(|r| r[0] == "合格率").unwrap();
    assert!(
        matches!((&pass[1], &pass[4]), (Data::Float(share), Data::Float(308.0)) if *share > 0.5 && *share < 1.0),
        "{pass:?}"
    );
    assert_eq!(pass[5].to_string(), "≥90.0%");
}

#[test]
fn headers_are_frozen_filtered_noted_and_repeated_in_print() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    nightly(&out, &[]);
    let path = out.join("scorecards.xlsx");
    for number in 2..=7 {
        let sheet = part(&path, &format!("xl/worksheets/sheet{number}.xml"));
        for wanted in ["<autoFilter ", "state=\"frozen\"", "orientation=\"landscape\"", "fitToPage=\"1\"", "<cols>"] {
            assert!(sheet.contains(wanted), "sheet {number}: {wanted}");
        }
    }
    for number in [2, 3, 4, 5, 6] {
        assert!(part(&path, &format!("xl/worksheets/sheet{number}.xml")).contains("<conditionalFormatting "));
    }
    let book = part(&path, "xl/workbook.xml");
    assert_eq!(book.matches("_xlnm.Print_Titles").count(), 6, "{book}");
    for chart in 1..=3 {
        assert!(part(&path, &format!("xl/charts/chart{chart}.xml")).contains("总览"));
    }
}

/// The target of a HYPERLINK formula: sheet and row.
fn jump(formula: &str) -> (String, usize) {
    let target = formula.split('"').nth(1).unwrap();
    let (sheet, cell) = target.trim_start_matches('#').split_once('!').unwrap();
    (sheet.trim_matches('\'').to_string(), cell[1..].parse().unwrap())
}

#[test]
fn findings_and_conversations_link_to_each_other() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    nightly(&out, &["--report", "xlsx"]);
    let path = out.join("scorecards.xlsx");
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    let (findings, conversations) = (table(&path, "违规明细", "会话ID"), table(&path, "会话", "会话ID"));
    for (from, to, column) in [("违规明细", "会话", "会话"), ("会话", "违规明细", "问题")] {
        let (own, other) = if from == "会话" { (&conversations, &findings) } else { (&findings, &conversations) };
        let formulas = book.worksheet_formula(from).unwrap();
        let mut followed = 0;
        for (number, row) in own.rows.iter().enumerate() {
            let Some(formula) = formulas.get_value(((own.first + number - 1) as u32, own.column(column) as u32)) else {
                continue;
            };
            if formula.is_empty() {
                assert_eq!(row[own.column("问题处数")], Data::Float(0.0), "a conversation with findings has a link");
                continue;
            }
            let (sheet, target) = jump(formula);
            assert_eq!(sheet, to);
            assert_eq!(other.rows[target - other.first][0], row[0], "{formula}");
            followed += 1;
        }
        assert!(followed > 200, "{from}: {followed}");
    }
    // No page stands beside the workbook, so none is linked; where one does, it is.
    assert!(findings.cells("聊天").iter().all(|c| **c == Data::Empty));
}

#[test]
fn findings_lead_to_their_notes_on_the_pages() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    nightly(&out, &[]);
    let mut book: Xlsx<_> = open_workbook(out.join("scorecards.xlsx")).unwrap();
    let formulas = book.worksheet_formula("违规明细").unwrap();
    let mut followed = 0;
    for (_, _, formula) in formulas.used_cells().filter(|(_, _, f)| f.contains("report/")) {
        let (file, note) = formula.split('"').nth(1).unwrap().split_once('#').unwrap();
        let page = std::fs::read_to_string(out.join(file)).unwrap();
        assert!(page.contains(&format!("id=\"{note}\"")), "{formula}");
        followed += 1;
    }
    assert!(followed > 100, "{followed}");
}

#[test]
fn the_same_night_gives_the_same_bytes() {
    let base = tempfile::tempdir().unwrap();
    let books = ["1", "4"].map(|threads| {
        let out = base.path().join(threads);
        nightly(&out, &["--threads", threads]);
        std::fs::read(out.join("scorecards.xlsx")).unwrap()
    });
    assert!(books[0] == books[1]);
    assert!(part(&base.path().join("1/scorecards.xlsx"), "docProps/core.xml").contains("2026-11-20T00:00:00Z"));
}

#[test]
fn english_sheets() {
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("out");
    nightly(&out, &["--lang", "en"]);
    let path = out.join("scorecards.xlsx");
    let book: Xlsx<_> = open_workbook(&path).unwrap();
    let names = ["Overview", "Agents", "Dimensions", "Rules", "Findings", "Conversations", "Definitions"];
    assert_eq!(book.sheet_names(), names);
    assert_eq!(table(&path, "Agents", "Agent id").rows.len(), 15);
    let words = table(&path, "Definitions", "Sheet");
    let han = |text: &String| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(!words.texts("Column").iter().any(han), "{:?}", words.texts("Column"));
}

#[test]
fn hostile_texts_are_only_text() {
    let base = tempfile::tempdir().unwrap();
    let input = base.path().join("hostile.jsonl");
    std::fs::write(&input, hostile()).unwrap();
    let out = base.path().join("out");
    inspect(&input, &out, &["--rules", "fixtures/packs/mini"]);
    let path = out.join("scorecards.xlsx");
    let mut book: Xlsx<_> = open_workbook(&path).unwrap();
    for sheet in SHEETS {
        // Every formula is a link of the program's own making.
        for (_, _, formula) in book.worksheet_formula(sheet).unwrap().used_cells() {
            let own = ["HYPERLINK(\"#'", "HYPERLINK(\"report/chats/"].iter().any(|start| formula.starts_with(start));
            assert!(formula.is_empty() || own, "{sheet}: {formula}");
        }
        for (_, _, cell) in book.worksheet_range(sheet).unwrap().used_cells() {
            let text = cell.to_string();
            assert!(!text.contains(['\u{202e}', '\u{0}', '\u{7}']), "{sheet}: {text:?}");
            assert!(text.chars().count() < 2_100, "{sheet}: a cell of {} characters", text.chars().count());
        }
    }
    let conversations = table(&path, "会话", "会话ID");
    assert_eq!(conversations.cells("会话ID")[0], &Data::String("00123456789012345678".into()), "an id stays text");
    let agents = table(&path, "坐席", "客服ID");
    assert_eq!(agents.texts("客服ID"), ["=1+1"]);
    assert_eq!(agents.texts("姓名"), ["<script>alert('名')</script>"]);
    // The cell is marked as quoted text: editing it does not make a formula of it.
    assert!(part(&path, "xl/styles.xml").contains("quotePrefix=\"1\""));
    assert!(part(&path, "xl/worksheets/sheet2.xml").contains("&lt;script&gt;"));
}

fn write(folder: &Path, night: &Night<'_>, sources: &Sources<'_>) -> std::path::PathBuf {
    let path = folder.join("scorecards.xlsx");
    workbook::write(&mut std::fs::File::create(&path).unwrap(), night, sources).unwrap();
    path
}

#[test]
fn what_does_not_fit_goes_to_more_sheets_or_is_left_out_with_a_word() {
    with_night(|night, folder| {
        let jsonl = folder.join("conversations.jsonl");
        let all: usize =
            lines(&std::fs::read(&jsonl).unwrap()).iter().map(|r| r["findings"].as_array().unwrap().len()).sum();
        let limits = Limits { sheet: 40, all: 100 };
        let sources = Sources { conversations: Some(&jsonl), folder: Some(folder), limits };
        let path = write(folder, night, &sources);
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        let names = book.sheet_names();
        let wanted = ["违规明细", "违规明细2", "违规明细3", "会话", "会话2", "会话3"];
        assert_eq!(names[4..10], wanted.map(String::from));
        let rows: Vec<_> = wanted.iter().map(|name| table(&path, name, "会话ID").rows.len()).collect();
        assert_eq!(rows, [40, 40, 20, 40, 40, 20]);
        let word = book.worksheet_range("违规明细").unwrap().get((0, 0)).unwrap().to_string();
        assert!(word.contains(&format!("共 {all} 行")) && word.contains("前 100 行"), "{word}");
        let overview = book.worksheet_range("总览").unwrap();
        assert!(overview.used_cells().any(|(_, _, cell)| cell.to_string() == word), "the first sheet says so too");
        // Links reach over sheets and stop where rows do.
        let conversations = table(&path, "会话2", "会话ID");
        let formulas = book.worksheet_formula("会话2").unwrap();
        let mut followed = 0;
        for (number, row) in conversations.rows.iter().enumerate() {
            let at = ((conversations.first + number - 1) as u32, conversations.column("问题") as u32);
            let Some(formula) = formulas.get_value(at).filter(|f| !f.is_empty()) else { continue };
            let (sheet, target) = jump(formula);
            let findings = table(&path, &sheet, "会话ID");
            assert_eq!(findings.rows[target - findings.first][0], row[0]);
            followed += 1;
        }
        assert!(followed > 0);
    });
}

#[test]
fn pages_beside_the_workbook_are_linked() {
    with_night(|night, folder| {
        let pages = folder.join("report/chats");
        std::fs::create_dir_all(&pages).unwrap();
        let jsonl = folder.join("conversations.jsonl");
        let records = lines(&std::fs::read(&jsonl).unwrap());
        let with_finding = records.iter().find(|r| !r["findings"].as_array().unwrap().is_empty()).unwrap();
        let id = with_finding["conversation_id"].as_str().unwrap();
        let stem = zhijian::report::names::file_stem(id);
        std::fs::write(pages.join(format!("{stem}.html")), "").unwrap();
        let sources = Sources { conversations: Some(&jsonl), folder: Some(folder), ..Sources::default() };
        let path = write(folder, night, &sources);
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        let linked: Vec<String> = book
            .worksheet_formula("会话")
            .unwrap()
            .used_cells()
            .map(|(_, _, f)| f.clone())
            .filter(|f| f.contains("report/"))
            .collect();
        assert_eq!(linked.len(), 1);
        let file = linked[0].split('"').nth(1).unwrap();
        assert!(folder.join(file).is_file(), "{file}");
    });
}

#[test]
fn without_conversations_the_evidence_kept_is_shown_and_said_to_be_that() {
    with_night(|night, folder| {
        let path = write(folder, night, &Sources { folder: Some(folder), ..Sources::default() });
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        assert_eq!(book.sheet_names(), SHEETS);
        let word = book.worksheet_range("违规明细").unwrap().get((0, 0)).unwrap().to_string();
        assert!(word.contains("只有留存的证据"), "{word}");
        let kept: usize =
            night.aggregate.agents.values().flat_map(|a| a.rules.values()).map(|c| c.evidence.items().len()).sum();
        assert!(kept > 20);
        assert_eq!(table(&path, "违规明细", "会话ID").rows.len(), kept);
    });
}
