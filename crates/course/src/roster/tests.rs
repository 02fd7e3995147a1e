//! Lists as learning platforms, spreadsheets and people write them.

use proptest::prelude::*;

use super::*;

const CANVAS: &str = "Student,ID,SIS User ID,SIS Login ID,Section,Lab 01 (101),Current Score\r\n\
    ,,,,,Manual Posting,(read only)\r\n\
    \x20   Points Possible,,,,,10.00,(read only)\r\n\
    \"Muster, Anna\",11,0012345,amuster,\"A, morning\",,\r\n\
    \"O'Neil, Žofie\",12,0012346,zofie@uni.example,B,,\r\n\
    \"Student, Test\",13,,7f3a,A,,\r\n";

const MOODLE: &str = "First name,Surname,ID number,Institution,Department,Email address,Assignment: Lab 01 (Real),Last downloaded from this course\n\
    Anna,Muster,0012345,,,Anna.Muster@uni.example,-,1700000000\n";

fn good(text: &str) -> Reading {
    read("list.csv", text.as_bytes()).unwrap()
}

fn bad(text: &str) -> String {
    read("list.csv", text.as_bytes()).unwrap_err().to_string()
}

fn told(reading: &Reading) -> Vec<String> {
    reading.notices.iter().map(Notice::to_string).collect()
}

/// id, name, email, login, sis, number, section
fn rows(reading: &Reading) -> Vec<[&str; 7]> {
    let people = reading.roster.people().iter();
    people
        .map(|person| Column::ALL.map(|column| person.get(column)))
        .collect()
}

#[test]
fn a_gradebook_of_canvas_is_recognised_and_its_other_rows_are_listed() {
    let reading = good(CANVAS);
    assert_eq!(reading.format, Format::Canvas);
    assert_eq!(
        rows(&reading),
        [
            [
                "amuster",
                "Muster, Anna",
                "",
                "amuster",
                "0012345",
                "11",
                "A, morning"
            ],
            [
                "zofie-c469f8",
                "O'Neil, Žofie",
                "zofie@uni.example",
                "zofie@uni.example",
                "0012346",
                "12",
                "B"
            ],
        ]
    );
    assert_eq!(
        told(&reading),
        [
            "line 2 was left out: it says how grades are posted",
            "line 3 was left out: it holds the points of the assignments",
            "line 6 was left out: it is the test student of Canvas",
            "columns that were not used: Lab 01 (101), Current Score",
            "the list has no e-mail addresses; logins that are addresses were used as such: 1",
        ]
    );
}

#[test]
fn the_other_shapes_of_a_canvas_gradebook_are_recognised() {
    let few = good("Student,ID,Section,Lab (1)\n\"A, B\",7,S,\n");
    assert_eq!(few.format, Format::Canvas);
    assert_eq!(few.roster.people()[0].number, "7");
    let split = good("LastName;FirstName;ID;SIS Login ID;Section\nMuster;Anna;7;am;S\n");
    assert_eq!(
        (split.format, split.separator),
        (Format::Canvas, Separator::Semicolon)
    );
    assert_eq!(split.roster.people()[0].name, "Anna Muster");
}

#[test]
fn moodle_keeps_the_case_of_its_addresses_and_participants_may_teach() {
    let reading = good(MOODLE);
    assert_eq!(reading.format, Format::MoodleGrades);
    let person = &reading.roster.people()[0];
    assert_eq!(person.email, "Anna.Muster@uni.example");
    assert_eq!(
        (person.name.as_str(), person.sis.as_str()),
        ("Anna Muster", "0012345")
    );

    let participants = good("First name,Last name,Email address,Groups\nA,B,a@uni.example,\n");
    assert_eq!(participants.format, Format::MoodleParticipants);
    assert_eq!(participants.notices, [Notice::MayHoldTeachers]);
}

/// The headings of Moodle's language packs, with line ends of Windows, semicolons and UTF-16 as spreadsheets save them.
#[test]
fn exports_of_moodle_are_recognised_in_other_languages() {
    let grades = "Vorname,Nachname,ID-Nummer,Institution,Abteilung,E-Mail-Adresse,\"Aufgabe: Lab 01 (Punkte)\",\"Zuletzt aus diesem Kurs geladen\"\n\
        Zoë,Müller,0012345,,,Zoe.Mueller@uni.example,-,1700000000\n";
    let french = "Prénom,Nom,Numéro d’identification,Adresse de courriel,Groupes\nZoë,Müller,0012345,Zoe.Mueller@uni.example,A\n";
    let spanish = "Nombre,Apellido(s),\"Número de ID\",\"Dirección de correo\",Grupos\nZoë,Müller,0012345,Zoe.Mueller@uni.example,A\n";
    for (text, format) in [
        (grades, Format::MoodleGrades),
        (french, Format::MoodleParticipants),
        (spanish, Format::MoodleParticipants),
    ] {
        let windows = text.replace('\n', "\r\n");
        let semicolons = windows.replace(',', ";");
        let mut wide = vec![0xff, 0xfe];
        wide.extend(semicolons.encode_utf16().flat_map(u16::to_le_bytes));
        let marked = [b"\xef\xbb\xbf", semicolons.as_bytes()].concat();
        for bytes in [text.as_bytes(), windows.as_bytes(), &marked, &wide] {
            let reading = read("list.csv", bytes).unwrap();
            assert_eq!(reading.format, format, "{text}");
            let person = &reading.roster.people()[0];
            assert_eq!(
                (
                    person.name.as_str(),
                    person.sis.as_str(),
                    person.email.as_str()
                ),
                ("Zoë Müller", "0012345", "Zoe.Mueller@uni.example")
            );
        }
    }
}

#[test]
fn who_teaches_is_left_out_with_a_note_where_the_list_says_it() {
    let list = good(
        "Vorname,Nachname,E-Mail-Adresse,Rollen,Gruppen\n\
         Anna,Muster,a@x.example,Teilnehmer/in,A\n\
         Dora,Dozentin,d@x.example,\"Trainer/in, Manager/in\",\n\
         Bert,Beispiel,b@x.example,\"Student/in, Trainer/in ohne Bearbeitungsrecht\",\n\
         Carl,Gast,c@x.example,Hörer,\n\
         Emma,Leer,e@x.example,,\n",
    );
    let names: Vec<&str> = (list.roster.people().iter())
        .map(|person| person.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["Anna Muster", "Bert Beispiel", "Carl Gast", "Emma Leer"]
    );
    assert_eq!(
        told(&list),
        [
            "line 3 was left out: Dora Dozentin is no student, and has the role \"Trainer/in, Manager/in\"",
            "persons with these roles were taken for students: Hörer; remove the others from roster.csv",
        ]
    );
    for (role, student) in [
        ("Student", true),
        ("Étudiant", true),
        ("Estudiante", true),
        ("Teacher", false),
        ("Non-editing teacher", false),
        ("Enseignant non-éditeur", false),
        ("Profesor", false),
    ] {
        let text = format!("name,email,roles\nA,a@x,{role}\nB,b@x,Student\n");
        let people = good(&text).roster.people().len();
        assert_eq!(people, if student { 2 } else { 1 }, "{role}");
    }
}

#[test]
fn a_name_beside_a_first_name_is_the_last_name_unless_it_holds_both() {
    for (text, name) in [
        ("Name;Vorname;E-Mail\nMuster;Anna;a@x\n", "Anna Muster"),
        ("Name;Vorname;E-Mail\nAnna Muster;Anna;a@x\n", "Anna Muster"),
        ("Name;Vorname;E-Mail\nOtto;Otto;a@x\n", "Otto Otto"),
        ("Nombre;Correo electrónico\nAna Ruiz;a@x\n", "Ana Ruiz"),
        ("Nom;Courriel\nAnne Duval;a@x\n", "Anne Duval"),
        ("id,name,vorname\ngroup-7,Anna,x\n", "Anna"),
    ] {
        assert_eq!(good(text).roster.people()[0].name, name, "{text}");
    }
    assert!(bad("First name,email\nAnna,a@x\n").contains("no column for the name"));
}

#[test]
fn plain_lists_are_read_with_and_without_a_header() {
    for text in [
        "name,email\nAnna,anna@uni.example\n",
        "E-Mail;Name\r\nanna@uni.example;Anna\r\n",
        "\u{feff}name\temail\nAnna\tanna@uni.example\n",
        "sep=;\nname;email\nAnna;anna@uni.example",
        "Anna,anna@uni.example\n",
        "anna@uni.example,\"Anna\"\n\n",
        "first name,last name,mail\nAnna,,anna@uni.example\n",
    ] {
        let reading = good(text);
        let person = &reading.roster.people()[0];
        assert_eq!(person.name, "Anna", "{text:?}");
        assert_eq!(person.id.as_str(), "anna-f22e1a", "{text:?}");
        let bare = !text.to_lowercase().contains("name");
        assert_eq!(reading.format == Format::Bare, bare, "{text:?}");
    }
    let alone = good("a@uni.example\nb@uni.example\n");
    assert_eq!(alone.notices, [Notice::NamesFromAddresses(2)]);
}

#[test]
fn a_fault_names_the_file_the_line_the_column_and_what_to_do() {
    for (text, error) in [
        (
            "",
            "list.csv: the list of students is empty; export it again, or write a line `name,email` and below it a line for each student",
        ),
        (
            "name,email\n",
            "list.csv: the list has no student; export it again, or add a line for each student",
        ),
        (
            "Vorname,Nachname\nAnna,Muster\n",
            "list.csv, line 1: there is no column for the e-mail address or the login of a student; the columns are \"Vorname\", \"Nachname\"; rename one of them to `email` or `login`",
        ),
        (
            "email\nanna@uni.example\n",
            "list.csv, line 1: there is no column for the name of a student; the columns are \"email\"; rename one of them to `name`",
        ),
        (
            "name,email,mail\nAnna,a@x,b@x\n",
            "list.csv, line 1: two columns are the e-mail address of a student: \"email\" and \"mail\"; rename or remove one of them",
        ),
        (
            "Anna,anna@uni.example,A\n",
            "list.csv, line 1: the list has no header, and its columns are not one name and one e-mail address; write a first line such as `name,email`",
        ),
        (
            "name,email\nA,a@uni.example\n\nB,A@Uni.example\n",
            "list.csv, line 4: the e-mail address \"A@Uni.example\" is also in line 2; remove one of the two lines, or correct it",
        ),
        (
            "name,email\nMuster, Anna,a@uni.example\n",
            "list.csv, line 2: the line has 3 cells, and the header has 2; put a cell with a separator in it between quotes",
        ),
        (
            "name,email\nAnna,anna\n",
            "list.csv, line 2: \"anna\" is not an e-mail address; correct it, or leave the cell empty",
        ),
        (
            "name,email\n,a@uni.example\n",
            "list.csv, line 2: the name of the student is missing; fill it in, or remove the line",
        ),
        (
            "name,email\nAnna\n",
            "list.csv, line 2: the student has no login, no e-mail address and no number; fill in one of them, or remove the line",
        ),
        (
            "name,login\nA,muster\nB,Muster\n",
            "list.csv, line 3: the login \"Muster\" is also in line 2; remove one of the two lines, or correct it",
        ),
        (
            "name,email\n\"Anna,a@uni.example\n",
            "list.csv, line 2: a quoted cell begins here and does not end; close it with \"",
        ),
    ] {
        assert_eq!(bad(text), error);
    }
    let latin = read("list.csv", b"name,email\nJ\xfcrgen,j@uni.example\n").unwrap_err();
    assert_eq!(
        (latin.line, latin.fault),
        (Some(2), Fault::Table(crate::table::TableFault::NotUtf8))
    );
}

#[test]
fn an_id_in_the_list_is_kept_and_checked() {
    let header = "id,name,email,login,sis,number,section\n";
    let kept = good(&format!("{header}group-7,Anna,a@uni.example,,,,\n"));
    assert_eq!(
        (kept.format, kept.roster.people()[0].id.as_str()),
        (Format::Roster, "group-7")
    );
    let wrong = bad(&format!("{header}5-Mar,Anna,a@uni.example,,,,\n"));
    assert!(
        wrong.starts_with("list.csv, line 2: \"5-Mar\" is no id: "),
        "{wrong}"
    );
    let same = bad(&format!("{header}a,Anna,,x,,,\na,Berta,,y,,,\n"));
    assert!(
        same.starts_with("list.csv, line 3: the student gets the id a, "),
        "{same}"
    );
}

#[test]
fn a_roster_keeps_its_ids_when_a_person_removes_columns() {
    let short = good("id,name,note\ngroup-7,Anna,x\nb,Berta,\n").roster;
    assert_eq!(short.people()[0].id.as_str(), "group-7");
    // The `id` of another list is a number of the university, and so is its `number`.
    for heading in ["id", "number"] {
        let other = good(&format!("{heading},name,login\n0012345,Anna,anna\n"));
        let person = &other.roster.people()[0];
        assert_eq!(other.format, Format::Plain);
        assert_eq!(
            (person.id.as_str(), person.sis.as_str()),
            ("anna", "0012345")
        );
        assert_eq!(person.number, "");
    }
}

#[test]
fn the_same_name_is_allowed_and_named() {
    let reading = good("name,login\nKim,kim1\nKim,kim2\nLee,lee\n");
    assert_eq!(reading.roster.people().len(), 3);
    assert_eq!(told(&reading), ["2 students are called Kim: kim1, kim2"]);
}

#[test]
fn a_student_is_found_by_what_a_platform_says_and_never_by_a_shared_text() {
    let roster = good("name,login,email\nKim,kim1,Kim@uni.example\nKim,kim2,\n").roster;
    let found = |column, text| {
        roster
            .find_by(column, text)
            .map(|person| person.id.as_str())
    };
    assert_eq!(found(Column::Email, " kim@UNI.example"), Some("kim1"));
    assert_eq!(found(Column::Login, "KIM2"), Some("kim2"));
    for (column, text) in [
        (Column::Name, "Kim"),
        (Column::Email, ""),
        (Column::Login, "kim"),
    ] {
        assert_eq!(found(column, text), None, "{text:?}");
    }
    assert_eq!(roster.find("kim1").unwrap().login, "kim1");
}

#[test]
fn ids_do_not_depend_on_the_other_students() {
    let both = good("name,email\nA,kim@a.example\nB,kim@b.example\n");
    let one = good("name,email\nB,kim@b.example\n");
    assert_eq!(both.roster.people()[1], one.roster.people()[0]);
}

#[test]
fn a_hostile_name_is_no_formula_in_the_file_and_reads_back_equal() {
    let name = "=HYPERLINK(\"http://x\";\"Anna\")";
    let reading = good("name\tlogin\n=HYPERLINK(\"http://x\";\"Anna\")\tanna\nB\u{7}B\tbb\n");
    assert_eq!(reading.roster.people()[0].name, name);
    let told = told(&reading);
    assert_eq!(
        told,
        ["line 3: a control character in the name was replaced by a space"]
    );
    let csv = reading.roster.to_csv();
    assert!(csv.contains(",\"'=HYPERLINK"), "{csv}");
    assert_eq!(good(&csv).roster, reading.roster);
}

/// A text as a list can hold it.
fn text() -> impl Strategy<Value = String> {
    "[=+@'\", ;\\-]?\\PC{0,12}".prop_map(|text| text.trim().to_owned())
}

fn person(number: usize) -> impl Strategy<Value = Person> {
    let id = "[a-z][a-z0-9_]{0,9}".prop_map(move |id| format!("{id}-{number}"));
    (id, text(), text(), text(), any::<bool>()).prop_map(
        move |(id, name, login, section, address)| Person {
            id: Id::try_from(id).unwrap(),
            name: format!("{name}{number}"),
            email: match address {
                true => format!("=Anna{number}@uni.example"),
                false => String::new(),
            },
            login: format!("{login}{number}"),
            sis: format!("00{number}"),
            number: number.to_string(),
            section,
        },
    )
}

fn roster() -> impl Strategy<Value = Roster> {
    let people = (1..6_usize).prop_flat_map(|count| (0..count).map(person).collect::<Vec<_>>());
    people.prop_map(|people| Roster { people })
}

proptest! {
    #[test]
    fn a_roster_reads_back_equal(roster in roster(), wide in any::<bool>()) {
        let csv = roster.to_csv();
        let bytes = match wide {
            false => csv.into_bytes(),
            true => csv.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        };
        let reading = read("roster.csv", &bytes).unwrap();
        prop_assert_eq!(reading.format, Format::Roster);
        prop_assert_eq!(reading.roster, roster);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in any::<Vec<u8>>(), text in "\\PC*[,;\n\"@a]{0,40}") {
        let _ = read("x", &bytes);
        let _ = read("x", text.as_bytes());
    }
}

#[test]
fn a_newer_list_keeps_ids_and_places_whatever_it_names_a_student_by() {
    let old =
        good("name,email,login,sis\nAnna,anna@x.example,am12,77\nBert,bert@x.example,bb34,\n")
            .roster;
    for newer in [
        "name,email\nAnna M.,ANNA@x.example\nCarla,carla@x.example\n",
        "name,email,login\nAnna M.,new@x.example,AM12\nCarla,carla@x.example,c\n",
        "name,email,login,sis\nAnna M.,other@x.example,other,77\nCarla,carla@x.example,c,\n",
    ] {
        let updated = old.updated(&good(newer).roster);
        assert_eq!((updated.added, updated.changed), (1, 1), "{newer}");
        let people = updated.roster.people();
        let ids: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
        assert_eq!((ids.len(), ids[0], ids[1]), (3, "am12", "bb34"), "{newer}");
        assert_eq!(people[0].name, "Anna M.");
        let gone: Vec<&str> = updated.not_named.iter().map(Id::as_str).collect();
        assert_eq!(gone, ["bb34"], "{newer}");
    }
    let same = old.updated(&old);
    assert_eq!((same.added, same.changed, same.not_named.len()), (0, 0, 0));
    assert_eq!(same.roster, old);
}
