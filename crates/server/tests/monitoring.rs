//! The files for Prometheus and Grafana, and the operator's table of metrics, name only what the server serves.

mod support;

use std::{collections::BTreeSet, fs};

use serde_json::{Value, json};
use support::{Home, deployed, names, promtool_says, there_is_a_promtool};

/// Words of PromQL that are no names of metrics.
const WORDS: [&str; 13] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "inf",
    "nan",
];
/// What Prometheus itself records for each target.
const OF_PROMETHEUS: &str = "up";

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = expression.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '"' {
            found.push(Token::Text(
                rest.by_ref().take_while(|c| *c != '"').collect(),
            ));
        } else if c.is_alphanumeric() || "_:$.".contains(c) {
            let mut word = String::from(c);
            while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || "_:$.".contains(*c)) {
                word.push(c);
            }
            found.push(Token::Word(word));
        } else if !c.is_whitespace() {
            found.push(Token::Sign(c));
        }
    }
    found
}

/// What an expression asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    metrics: BTreeSet<String>,
    /// Labels, each with the values that are asked for; none where it is only grouped by.
    labels: BTreeSet<(String, Vec<String>)>,
}

impl Query {
    fn read(expression: &str) -> Self {
        let tokens = tokens(expression);
        let mut query = Self::default();
        let (mut at, mut braces, mut brackets, mut grouped) = (0, false, false, false);
        while let Some(token) = tokens.get(at) {
            match token {
                Token::Sign('{') => braces = true,
                Token::Sign('}') => braces = false,
                Token::Sign('[') => brackets = true,
                Token::Sign(']') => brackets = false,
                Token::Sign(')') => grouped = false,
                Token::Word(label) if braces => query.matcher(label, &tokens[at + 1..]),
                Token::Word(label) if grouped => _ = query.labels.insert((label.clone(), vec![])),
                Token::Word(word) if ["by", "without", "on", "ignoring"].contains(&&word[..]) => {
                    grouped = true;
                }
                Token::Word(word) if !brackets => {
                    let number = word.starts_with(|c: char| c.is_ascii_digit());
                    let function = tokens.get(at + 1) == Some(&Token::Sign('('))
                        || matches!(tokens.get(at + 1), Some(Token::Word(by)) if by == "by");
                    if !number && !function && !WORDS.contains(&&word[..]) {
                        query.metrics.insert(word.clone());
                    }
                }
                _ => {}
            }
            at += 1;
        }
        query
    }

    /// `label="value"` and `label=~"one|other"`.
    fn matcher(&mut self, label: &str, rest: &[Token]) {
        let text = rest.iter().find_map(|token| match token {
            Token::Text(text) => Some(text),
            _ => None,
        });
        let values = text
            .expect("a matcher has a value")
            .split('|')
            .map(str::to_owned);
        self.labels.insert((label.to_owned(), values.collect()));
    }

    /// What the page does not have.
    fn not_served(&self, page: &str) -> Vec<String> {
        let served = names(page);
        let metrics = self.metrics.iter();
        let metrics = metrics.filter(|name| !served.contains(*name) && *name != OF_PROMETHEUS);
        // Prometheus adds these two to all that it reads.
        let ours = |label: &str| !["instance", "job"].contains(&label);
        let labels = self.labels.iter().filter(|(label, _)| ours(label));
        let labels = labels.flat_map(|(label, values)| {
            let all = match values.is_empty() {
                true => vec![format!("{label}=\"")],
                false => values
                    .iter()
                    .map(|value| format!("{label}=\"{value}\""))
                    .collect(),
            };
            all.into_iter().filter(|pair| !page.contains(&pair[..]))
        });
        metrics.cloned().chain(labels).collect()
    }
}

#[test]
fn the_tokenizer_finds_names_and_labels_and_nothing_else() {
    let query = Query::read(
        "histogram_quantile(0.95, sum by (le) (rate(a_bucket{x=~\"p|q\",y=\"r\"}[$__rate_interval]))) / on (z) b > 1e3 or time()",
    );
    let metrics: Vec<_> = query.metrics.iter().map(String::as_str).collect();
    assert_eq!(metrics, ["a_bucket", "b"]);
    let labels: Vec<_> = query
        .labels
        .iter()
        .map(|(label, values)| (&label[..], values.join(",")))
        .collect();
    let expected = [("le", ""), ("x", "p,q"), ("y", "r"), ("z", "")];
    assert_eq!(
        labels,
        expected.map(|(label, values)| (label, values.to_owned()))
    );
    let page = "a_bucket{le=\"1\",x=\"p\",y=\"r\"} 1\n";
    assert_eq!(query.not_served(page), ["b", "x=\"q\"", "z=\""]);
}

fn dashboard() -> Value {
    let text = fs::read_to_string(deployed("grafana-dashboard.json")).unwrap();
    serde_json::from_str(&text).expect("the dashboard is JSON")
}

fn list(value: &Value) -> &Vec<Value> {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
}

/// The expressions of all panels, each with the title of its panel.
fn expressions(dashboard: &Value) -> Vec<(String, String)> {
    let panels = list(&dashboard["panels"]).iter();
    panels
        .flat_map(|panel| {
            let title = panel["title"].as_str().unwrap();
            let targets = list(&panel["targets"]).iter();
            targets.map(move |target| {
                (
                    title.to_owned(),
                    target["expr"].as_str().unwrap().to_owned(),
                )
            })
        })
        .collect()
}

/// The expressions of the alerts, each with its name.
fn alerts() -> Vec<(String, String)> {
    let text = fs::read_to_string(deployed("alerts.yml")).unwrap();
    let after = |word: &'static str| {
        let lines: Vec<_> = text
            .lines()
            .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix(word))
            .map(|rest| rest.trim().to_owned())
            .collect();
        lines
    };
    let (names, expressions) = (after("alert:"), after("expr:"));
    assert_eq!(
        names.len(),
        expressions.len(),
        "each expression is on one line"
    );
    names.into_iter().zip(expressions).collect()
}

async fn page() -> String {
    let home = Home::new();
    home.serve_monitored().await.scrape().await
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_only_for_what_is_served() {
    let page = page().await;
    let panels = expressions(&dashboard());
    assert!(panels.len() > 20 && alerts().len() > 5);
    for (title, expression) in panels.iter().chain(&alerts()) {
        let query = Query::read(expression);
        assert!(!query.metrics.is_empty(), "{title}: {expression}");
        assert_eq!(
            query.not_served(&page),
            Vec::<String>::new(),
            "{title}: {expression}"
        );
    }
    // A metric of another name is noticed.
    let renamed = page.replace("latchstring_logins_total", "latchstring_login_total");
    let missed = panels
        .iter()
        .filter(|(_, expression)| !Query::read(expression).not_served(&renamed).is_empty());
    assert!(missed.count() > 3);
}

#[tokio::test]
async fn every_metric_is_on_the_dashboard_and_in_the_operators_table() {
    let page = page().await;
    let shown: BTreeSet<_> = expressions(&dashboard())
        .iter()
        .flat_map(|(_, expression)| Query::read(expression).metrics)
        .collect();
    let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/operating.md");
    let book = fs::read_to_string(book).unwrap();
    let table: BTreeSet<_> = book
        .lines()
        .filter_map(|line| {
            line.strip_prefix("| `latchstring_")?
                .split(['`', '{'])
                .next()
        })
        .map(|name| format!("latchstring_{name}"))
        .collect();
    let whole = |name: &String| {
        let ends = ["_bucket", "_sum", "_count"];
        let base = ends.iter().find_map(|end| name.strip_suffix(end));
        base.map_or(name.clone(), str::to_owned)
    };
    let served: BTreeSet<_> = names(&page).iter().map(whole).collect();
    assert_eq!(
        table, served,
        "the table in operating.md, and what is served"
    );
    let shown: BTreeSet<_> = shown.iter().map(whole).collect();
    let missing: Vec<_> = served.difference(&shown).collect();
    // The number of connections is the sum of those below it; the version is in the list of servers.
    assert_eq!(
        missing,
        ["latchstring_build_info", "latchstring_connections_total"]
    );
}

#[test]
fn grafana_can_load_the_dashboard() {
    let dashboard = dashboard();
    assert!(
        dashboard["title"]
            .as_str()
            .is_some_and(|title| !title.is_empty())
    );
    let uid = dashboard["uid"].as_str().unwrap();
    assert!(
        (1..=40).contains(&uid.len())
            && uid.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
    );
    assert!(
        dashboard["schemaVersion"]
            .as_u64()
            .is_some_and(|version| version >= 36)
    );
    assert!(dashboard["time"]["from"].is_string() && dashboard["time"]["to"].is_string());
    let variables = list(&dashboard["templating"]["list"]);
    let source = &variables[0];
    assert_eq!(source["name"], "datasource");
    assert_eq!(
        (&source["type"], &source["query"]),
        (&json!("datasource"), &json!("prometheus"))
    );
    assert_eq!(variables[1]["name"], "instance");
    let mut ids = BTreeSet::new();
    for panel in list(&dashboard["panels"]) {
        well_formed(panel);
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["id"]);
    }
    no_panel_covers_another(&dashboard);
}

fn well_formed(panel: &Value) {
    let title = panel["title"].as_str().unwrap();
    for text in ["title", "description"] {
        assert!(
            panel[text].as_str().is_some_and(|text| !text.is_empty()),
            "{title}: {text}"
        );
    }
    let kind = panel["type"].as_str().unwrap();
    assert!(["stat", "timeseries"].contains(&kind), "{title}: {kind}");
    let source = json!({"type": "prometheus", "uid": "${datasource}"});
    assert_eq!(panel["datasource"], source, "{title}");
    let unit = &panel["fieldConfig"]["defaults"]["unit"];
    assert!(
        unit.as_str()
            .is_some_and(|unit| ["short", "s", "reqps", "ops", "Bps"].contains(&unit)),
        "{title}: {unit}"
    );
    assert!(
        panel["fieldConfig"]["overrides"].is_array() && panel["options"].is_object(),
        "{title}"
    );
    let targets = list(&panel["targets"]);
    let names: BTreeSet<_> = targets
        .iter()
        .map(|target| target["refId"].as_str().unwrap())
        .collect();
    assert!(
        !targets.is_empty() && names.len() == targets.len(),
        "{title}"
    );
    for target in targets {
        assert_eq!(target["datasource"], source, "{title}");
        let expression = target["expr"].as_str().unwrap();
        assert!(
            expression.contains("{instance=~\"$instance\""),
            "{title}: {expression}"
        );
    }
}

/// The squares of Grafana's grid, 24 wide, that a panel is on.
fn squares(panel: &Value) -> Vec<(u64, u64)> {
    let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
    assert!(w > 0 && h > 0 && x + w <= 24, "{}", panel["title"]);
    (x..x + w)
        .flat_map(|x| (y..y + h).map(move |y| (x, y)))
        .collect()
}

fn no_panel_covers_another(dashboard: &Value) {
    let mut taken = BTreeSet::new();
    for panel in list(&dashboard["panels"]) {
        for square in squares(panel) {
            assert!(taken.insert(square), "{} covers {square:?}", panel["title"]);
        }
    }
}

/// Prometheus' own reader takes all expressions: each is made a rule of its own.
#[test]
fn prometheus_takes_the_alerts_and_all_expressions_of_the_dashboard() {
    let rules = |expressions: &[(String, String)]| {
        let rules: Vec<_> = (0..)
            .zip(expressions)
            .map(|(n, (_, expression))| {
                let expression = expression.replace("$__rate_interval", "5m");
                json!({"record": format!("panel:{n}"), "expr": expression})
            })
            .collect();
        // JSON is YAML, too.
        json!({"groups": [{"name": "panels", "rules": rules}]}).to_string()
    };
    let check = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        promtool_says(&["check", "rules", file.path().to_str().unwrap()], "")
    };
    assert_eq!(check(&rules(&expressions(&dashboard()))), "");
    let broken = ("broken".to_owned(), "sum by (rate(x[5m]))".to_owned());
    assert_ne!(check(&rules(&[broken])).is_empty(), there_is_a_promtool());
    // It reads the alerts as well, which the configuration names.
    let configuration = deployed("prometheus.yml");
    assert_eq!(
        promtool_says(&["check", "config", configuration.to_str().unwrap()], ""),
        ""
    );
}

/// Each alert fires in its trouble, and none on a quiet day.
#[test]
fn each_alert_fires_in_its_trouble_and_none_on_a_quiet_day() {
    let trouble = deployed("../tests/alerts.yml");
    let text = fs::read_to_string(&trouble).unwrap();
    for (name, _) in alerts() {
        assert!(
            text.contains(&format!("alertname: {name}\n")),
            "{name} is tried by nothing"
        );
    }
    assert_eq!(
        promtool_says(&["test", "rules", trouble.to_str().unwrap()], ""),
        ""
    );
}
