//! What the headings of lists mean, in the languages in which platforms export them.
//!
//! The words are those of the platforms' own language packs: Canvas in English, Moodle in English, German, French and
//! Spanish.

use super::Column;

/// What a heading can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    Is(Column),
    First,
    Last,
    /// What a person is in the course: a student, or somebody who teaches.
    Role,
}

/// Headings in lower case, with their meaning. The `id` of a list that is not ours is the university's number.
const HEADINGS: &[(Heading, &[&str])] = &[
    (
        Heading::Is(Column::Name),
        &[
            "name",
            "full name",
            "student",
            "student name",
            "vollständiger name",
            "nom complet",
            "nombre completo",
        ],
    ),
    (
        Heading::First,
        &[
            "first name",
            "firstname",
            "given name",
            "forename",
            "vorname",
            "prénom",
            "nombre",
        ],
    ),
    (
        Heading::Last,
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "nachname",
            "familienname",
            "nom",
            "nom de famille",
            "apellido(s)",
            "apellidos",
        ],
    ),
    (
        Heading::Is(Column::Email),
        &[
            "email",
            "e-mail",
            "email address",
            "e-mail address",
            "mail",
            "e-mail-adresse",
            "adresse de courriel",
            "adresse e-mail",
            "courriel",
            "dirección de correo",
            "dirección email",
            "correo electrónico",
        ],
    ),
    (
        Heading::Is(Column::Login),
        &[
            "login",
            "username",
            "user name",
            "user",
            "sis login id",
            "netid",
            "anmeldename",
            "benutzername",
            "nom d'utilisateur",
            "nombre de usuario",
        ],
    ),
    (
        Heading::Is(Column::Sis),
        &[
            "sis",
            "sis user id",
            "sis id",
            "id number",
            "student id",
            "student number",
            "matriculation number",
            "number",
            "id",
            "id-nummer",
            "matrikelnummer",
            "numéro d'identification",
            "número de id",
        ],
    ),
    (
        Heading::Is(Column::Section),
        &[
            "section", "sections", "group", "groups", "class", "gruppe", "gruppen", "groupe",
            "groupes", "grupo", "grupos",
        ],
    ),
    (
        Heading::Role,
        &["role", "roles", "rolle", "rollen", "rôle", "rôles", "rol"],
    ),
];

/// The column in which Moodle says when the grades were exported. No other list has it.
const EXPORTED: [&str; 4] = [
    "last downloaded from this course",
    "maximum grade",
    "zuletzt aus diesem kurs geladen",
    "zuletzt von diesem kurs geladen",
];

/// What this heading means; `None` if a roster has no use for it.
pub(super) fn meaning(heading: &str) -> Option<Heading> {
    let heading = plain(heading);
    let mut known = HEADINGS.iter();
    known
        .find(|(_, names)| names.contains(&heading.as_str()))
        .map(|(meaning, _)| *meaning)
}

/// Whether this is the first or the last name beside another column, and the whole name without one.
pub(super) fn is_name_alone(heading: &str) -> bool {
    matches!(plain(heading).as_str(), "nom" | "nombre")
}

/// Whether the names and the address of these headings are called as Moodle calls them, in one of its languages.
pub(super) fn is_of_moodle(headings: &[&str]) -> bool {
    const ADDRESSES: [&str; 5] = [
        "email address",
        "e-mail-adresse",
        "adresse de courriel",
        "dirección de correo",
        "dirección email",
    ];
    const FULL: [&str; 4] = [
        "full name",
        "vollständiger name",
        "nom complet",
        "nombre completo",
    ];
    let called = |names: &[&str]| {
        let mut headings = headings.iter();
        headings.any(|heading| names.contains(&plain(heading).as_str()))
    };
    let means = |wanted| headings.iter().any(|one| meaning(one) == Some(wanted));
    called(&ADDRESSES) && (called(&FULL) || means(Heading::First) && means(Heading::Last))
}

/// Whether only the grades of Moodle have this column. The other columns of grades end with the kind of the grade.
pub(super) fn is_of_grades(heading: &str) -> bool {
    let heading = plain(heading);
    let kinds = ["(real)", "(punkte)", "(percentage)", "(prozentsatz)"];
    EXPORTED.contains(&heading.as_str()) || kinds.iter().any(|kind| heading.ends_with(kind))
}

/// In lower case, with the apostrophe of a keyboard.
fn plain(heading: &str) -> String {
    heading.trim().to_lowercase().replace('\u{2019}', "'")
}

/// What a person is in a course, as Moodle names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Student,
    Teaches,
    /// The roles of a site may have any name.
    Unknown,
}

/// The beginnings of roles that learn, in lower case.
const STUDENTS: [&str; 7] = [
    "student",
    "teilnehmer",
    "studierende",
    "étudiant",
    "participant",
    "estudiante",
    "learner",
];
/// The beginnings of roles that teach or manage, in lower case.
const TEACHERS: [&str; 15] = [
    "teacher",
    "non-editing teacher",
    "teaching assistant",
    "tutor",
    "manager",
    "course creator",
    "trainer",
    "lehr",
    "dozent",
    "kursersteller",
    "enseignant",
    "gestionnaire",
    "créateur de cours",
    "profesor",
    "gestor",
];

/// The role in a cell, which may hold several. Who is a student among other things is a student.
pub(super) fn role(cell: &str) -> Role {
    let cell = cell.to_lowercase();
    let roles = cell.split([',', ';']).map(str::trim);
    let begins = |names: &[&str]| {
        let mut roles = roles.clone();
        roles.any(|role| names.iter().any(|name| role.starts_with(name)))
    };
    match (begins(&STUDENTS), begins(&TEACHERS)) {
        (true, _) => Role::Student,
        (false, true) => Role::Teaches,
        (false, false) => Role::Unknown,
    }
}
