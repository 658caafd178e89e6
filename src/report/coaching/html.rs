//! A report as a page that prints on A4: no script, no request but for the styles beside it.

use askama::Template;

use super::document::{Block, Document, Run, Voice};
use crate::judge::Lang;

/// The styles of all pages, written once beside them.
pub const CSS: &str = include_str!("coaching.css");

/// Askama escapes every `{{ … }}`.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!doctype html>
<html lang="{{ lang }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self' file:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ page.title }}</title>
<link rel="stylesheet" href="coaching.css">
</head>
<body>
<main>
<h1><bdi>{{ page.title }}</bdi></h1>
{% for block in page.blocks %}
{%- match block %}
{%- when Block::Heading(level, text) %}{% if *level == 2 %}<h2>{{ text }}</h2>{% else %}<h3>{{ text }}</h3>{% endif %}
{%- when Block::Text(runs) %}<p>{% call pieces(runs) %}{% endcall %}</p>
{%- when Block::Labelled(label, text) %}<p class="labelled"><b>{{ label }}</b> {{ text }}</p>
{%- when Block::Aside(text) %}<p class="aside">{{ text }}</p>
{%- when Block::Chat(lines) %}<blockquote>{% for (who, voice, text) in lines %}<p class="{{ Self::voice(voice) }}">{% if !who.is_empty() %}<span class="who">{{ who }}</span>{% endif %}<bdi>{{ text }}</bdi></p>{% endfor %}</blockquote>
{%- when Block::Say(label, items) %}<div class="say"><b>{{ label }}</b><ul>{% for item in items %}<li>“{{ item }}”</li>{% endfor %}</ul></div>
{%- when Block::List(items) %}<ul>{% for item in items %}<li>{% call pieces(item) %}{% endcall %}</li>{% endfor %}</ul>
{%- when Block::Table(head, rows) %}<table><thead><tr>{% for cell in head %}<th scope="col">{{ cell }}</th>{% endfor %}</tr></thead><tbody>{% for row in rows %}<tr>{% for cell in row %}{% if loop.first %}<th scope="row">{{ cell }}</th>{% else %}<td>{{ cell }}</td>{% endif %}{% endfor %}</tr>{% endfor %}</tbody></table>
{%- when Block::Small(text) %}<p class="small">{{ text }}</p>
{%- endmatch %}
{% endfor -%}
</main>
</body>
</html>
{% macro pieces(runs) %}{% for run in runs %}{% match run %}{% when Run::Plain(text) %}{{ text }}{% when Run::Strong(text) %}<strong>{{ text }}</strong>{% endmatch %}{% endfor %}{% endmacro %}"#
)]
struct Page<'p> {
    lang: &'static str,
    page: &'p Document,
}

impl Page<'_> {
    fn voice(voice: &Voice) -> &'static str {
        match voice {
            Voice::Customer => "customer",
            Voice::Agent => "agent",
            Voice::Example => "example",
        }
    }
}

impl Document {
    /// Lays the report out as a page.
    pub fn html(&self) -> String {
        let lang = if self.lang == Lang::Zh { "zh-CN" } else { "en" };
        // Rendering into a string cannot fail.
        Page { lang, page: self }.render().unwrap_or_default()
    }
}
