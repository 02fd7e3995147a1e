//! What an instructor has is never lost: the list of students, and the grades.

use std::fs;

use crate::class::{Class, one_line, solve, submit};

const LAB: &str = "00-first-contact";

#[test]
fn a_list_that_cannot_be_read_is_left_as_it_is() {
    let class = Class::new(3, &[LAB]);
    let path = class.path("roster.csv");
    let good = fs::read(&path).unwrap();
    fs::write(
        class.path("more.csv"),
        "name,email,login\nNora,nora@uni.example,nora\n",
    )
    .unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let latin1: Vec<u8> = text
        .replace("Name of student1", "Zo\u{eb}")
        .chars()
        .map(|c| c as u32 as u8)
        .collect();
    let twice = text
        .replace("student2@uni.example", "student1@uni.example")
        .into_bytes();
    let no_id = text.replace("student2,Name", "Student 2,Name").into_bytes();
    for damaged in [latin1, twice, no_id] {
        fs::write(&path, &damaged).unwrap();
        let refused = class.run(&["course", "roster", "import", "more.csv"]);
        let said = String::from_utf8(refused.stderr.clone()).unwrap();
        assert!(
            !refused.status.success() && said.contains("nothing was imported"),
            "{said}"
        );
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    fs::write(&path, &good).unwrap();
    let said = class.runs(&["course", "roster", "import", "more.csv"]);
    assert!(said.contains("1 new, 0 changed, 4 students"), "{said}");
    assert_eq!(fs::read(class.path("roster.csv.before")).unwrap(), good);
}

#[test]
fn a_student_keeps_the_id_when_another_list_knows_only_the_address() {
    let class = Class::new(2, &[LAB]);
    let moodle = "First name,Surname,ID number,Email address\nAnna,Muster,7,student1@uni.example\n";
    fs::write(class.path("moodle.csv"), moodle).unwrap();
    let said = class.runs(&["course", "roster", "import", "moodle.csv"]);
    assert!(said.contains("0 new, 1 changed, 2 students"), "{said}");
    let listed = class.runs(&["course", "roster", "list"]);
    assert!(
        listed.contains("student1") && listed.contains("student2"),
        "{listed}"
    );
}

#[test]
fn one_student_comes_and_goes_without_a_list() {
    let class = Class::new(1, &[LAB]);
    let add = |id: &str, name: &str, email: &str| {
        class.run(&["course", "roster", "add", id, name, "--email", email])
    };
    let said = one_line(&add("dora", "Dora Novák", "dora@uni.example"));
    assert!(
        said.contains("dora (Dora Novák) is in the course: 2 students now."),
        "{said}"
    );
    assert!(
        class
            .runs(&["course", "roster", "list"])
            .contains("dora@uni.example")
    );
    for (id, email, why) in [
        ("dora", "d@uni.example", "has a student \"dora\" already"),
        ("Dora 2", "d@uni.example", "is no id"),
        ("emil", "dora@uni.example", "nothing was changed"),
        ("emil", "no address", "nothing was changed"),
    ] {
        let before = fs::read(class.path("roster.csv")).unwrap();
        let refused = add(id, "Somebody", email);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        let error: Vec<&str> = error.split_whitespace().collect();
        assert!(
            !refused.status.success() && error.join(" ").contains(why),
            "{error:?}"
        );
        assert_eq!(fs::read(class.path("roster.csv")).unwrap(), before);
    }
    let first = class.path("one/dora.zip");
    class.runs(&["course", "hand-out", "one", "--student", "dora"]);
    let first = fs::read(first).unwrap();
    let said = class.runs(&["course", "roster", "remove", "dora"]);
    assert!(
        said.contains("not in the course any more: 1 student now."),
        "{said}"
    );
    let unknown = class.run(&["course", "roster", "remove", "dora"]);
    let error = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(error.contains("no student \"dora\""), "{error}");
    // The last one, too; and the list can be begun again.
    class.runs(&["course", "roster", "remove", "student1"]);
    add("dora", "Dora Novák", "dora@uni.example");
    class.runs(&["course", "hand-out", "two", "--student", "dora"]);
    assert_eq!(fs::read(class.path("two/dora.zip")).unwrap(), first);
}

/// What a command that must fail says, in one line.
fn refused(class: &Class, arguments: &[&str]) -> String {
    let output = class.run(arguments);
    assert!(!output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_student_with_a_new_address_is_a_question_and_a_namesake_is_none() {
    let class = Class::new(2, &[LAB]);
    let import = |csv: &str| {
        fs::write(class.path("new.csv"), csv).unwrap();
        class.runs(&["course", "roster", "import", "new.csv"])
    };
    // Both are in the list: two people of one name.
    let said = import(
        "name,login\nName of student1,student1\nName of student2,student2\nstudent1 Name of,other\n",
    );
    assert!(!said.contains("has the name of"), "{said}");
    let said = import("name,login\nName of student1,student1\n\"OF STUDENT2, Name\",moved\n");
    assert!(
        said.contains("moved has the name of student2, whom the list does not name"),
        "{said}"
    );
    assert!(!said.contains("the name of student1,"), "{said}");
}

#[test]
fn a_list_that_is_lost_comes_from_a_copy_or_is_begun_again() {
    let class = Class::new(1, &[LAB]);
    let import = ["course", "roster", "import", "list.csv"];
    class.runs(&import);
    fs::remove_file(class.path("roster.csv")).unwrap();
    for arguments in [&["course", "roster", "list"][..], &import] {
        let said = refused(&class, arguments);
        assert!(
            said.contains("roster.csv is lost: take it from your backup") && said.contains("`cp "),
            "{said}"
        );
    }
    fs::remove_file(class.path("roster.csv.before")).unwrap();
    let said = refused(&class, &["course", "roster", "list"]);
    assert!(said.contains("make it again with"), "{said}");
    let said = class.runs(&import);
    assert!(said.contains("1 new, 0 changed, 1 student"), "{said}");
    // Where there is no course, the folder is wrong.
    let said = refused(&class, &["course", "roster", "list", "--course", "nowhere"]);
    assert!(said.contains("go to the folder that"), "{said}");
}

#[test]
fn a_new_student_gets_a_login_and_a_number_and_nobody_has_one_twice() {
    let class = Class::new(1, &[LAB]);
    let add = ["course", "roster", "add", "dora", "Dora Novak", "--login"];
    let more = |login: &'static str| [&add[..], &[login, "--sis", "0012"]].concat();
    let said = refused(&class, &more("student1"));
    assert!(said.contains("nothing was changed"), "{said}");
    class.runs(&more("dn1"));
    let list = fs::read_to_string(class.path("roster.csv")).unwrap();
    assert!(
        list.contains("dora,Dora Novak,,dn1,") && list.contains("0012"),
        "{list}"
    );
}

#[test]
fn an_import_that_gives_one_student_the_address_of_another_names_both() {
    let class = Class::new(2, &[LAB]);
    let import = |csv: &str| {
        fs::write(class.path("new.csv"), csv).unwrap();
        class.run(&["course", "roster", "import", "new.csv"])
    };
    let before = fs::read(class.path("roster.csv")).unwrap();
    for (given, owner) in [("student2", "student1"), ("student1", "student2")] {
        let output = import(&format!(
            "name,login,email\nSomebody,{given},{owner}@uni.example\n"
        ));
        assert!(!output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let said: Vec<&str> = said.split_whitespace().collect();
        let said = said.join(" ");
        let wanted = format!(
            "new.csv gives {given} the e-mail address \"{owner}@uni.example\" of {owner}: correct it"
        );
        assert!(said.contains(&wanted), "{said}");
        assert_eq!(fs::read(class.path("roster.csv")).unwrap(), before);
    }
    // Two who change their addresses with each other are no conflict.
    let output = import(
        "name,login,email\nA,student1,student2@uni.example\nB,student2,student1@uni.example\n",
    );
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn an_export_names_who_has_left_and_takes_the_place_of_no_file_of_the_course() {
    let class = Class::new(2, &[LAB]);
    fs::create_dir(class.path("in")).unwrap();
    for (student, folder) in class.hand_out() {
        fs::write(
            class.path(&format!("in/{student}.zip")),
            submit(&folder.join(LAB)),
        )
        .unwrap();
    }
    class.grade();
    let export = |to: &str| class.run(&["course", "export", "moodle", "--out", to]);
    let note = "note: the grades have students who are not in roster.csv any more: student2";
    let output = export("moodle.csv");
    assert!(!one_line(&output).contains("any more"), "{output:?}");
    class.runs(&["course", "roster", "remove", "student2"]);
    // A second time: an export may take the place of an older one.
    let output = export("moodle.csv");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(note), "{said}");
    fs::create_dir(class.path("sub")).unwrap();
    for to in [
        "roster.csv",
        "sub/../course.toml",
        "grades.json",
        "course.key",
    ] {
        let before = fs::read(class.path(to)).unwrap();
        let said = refused(&class, &["course", "export", "moodle", "--out", to]);
        assert!(
            said.contains("is a file of the course: name another"),
            "{said}"
        );
        assert_eq!(fs::read(class.path(to)).unwrap(), before);
    }
}

#[test]
fn an_umlaut_is_spelled_out_in_a_new_id_and_an_id_that_exists_stays() {
    let class = Class::new(1, &[LAB]);
    let list = |name: &str| format!("name,email\n{name},jürgen.groß@uni.example\n");
    fs::write(class.path("new.csv"), list("Jürgen Groß")).unwrap();
    class.runs(&["course", "roster", "import", "new.csv"]);
    let listed = class.runs(&["course", "roster", "list"]);
    assert!(listed.contains("juergen-gross-"), "{listed}");
    // An older version of the program has given another id.
    let path = class.path("roster.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("juergen-gross-", "j-rgen-gro-")).unwrap();
    fs::write(class.path("new.csv"), list("Jürgen Gross")).unwrap();
    let said = class.runs(&["course", "roster", "import", "new.csv"]);
    assert!(said.contains("0 new, 1 changed, 2 students"), "{said}");
    let listed = class.runs(&["course", "roster", "list"]);
    assert!(
        listed.contains("j-rgen-gro-") && !listed.contains("juergen"),
        "{listed}"
    );
}

#[test]
fn grades_are_not_overwritten_by_a_run_that_has_fewer() {
    let class = Class::new(2, &[LAB]);
    for (student, folder) in class.hand_out() {
        let work = folder.join(LAB);
        solve(&work, LAB);
        let week = class.path(if student == "student1" { "in" } else { "week2" });
        fs::create_dir_all(&week).unwrap();
        fs::write(week.join("x.zip"), submit(&work)).unwrap();
    }
    class.grade();
    let before = fs::read(class.path("grades.json")).unwrap();
    for arguments in [
        &["course", "grade", "week2"][..],
        &["course", "grade", "in", "--student", "student2"],
        &["course", "grade", "in", "--part", "2/2"],
    ] {
        let refused = class.run(arguments);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(
            said.contains("1 result that would be lost") && said.contains("regrade"),
            "{said}"
        );
        assert_eq!(fs::read(class.path("grades.json")).unwrap(), before);
    }
    let added = class.runs(&["course", "regrade", "week2"]);
    assert!(
        added.contains("1 result changed: 1 graded again, 1 kept."),
        "{added}"
    );
    let replaced = class.runs(&["course", "grade", "week2", "--replace"]);
    assert!(replaced.contains("1 result of 2 students"), "{replaced}");
}

#[test]
fn another_courses_key_accuses_nobody() {
    let class = Class::new(2, &[LAB]);
    fs::create_dir(class.path("in")).unwrap();
    for (student, folder) in class.hand_out() {
        let work = folder.join(LAB);
        fs::write(class.path(&format!("in/{student}.zip")), submit(&work)).unwrap();
    }
    let key = fs::read_to_string(class.path("course.key")).unwrap();
    let other: String = key
        .chars()
        .map(|c| if c == '0' { '1' } else { c })
        .collect();
    let other = if other == key {
        key.replace('1', "2")
    } else {
        other
    };
    fs::write(class.path("course.key"), other).unwrap();
    let refused = class.run(&["course", "grade", "in"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("fits none of the 2 files"), "{said}");
    assert!(!class.path("grades.json").exists());
}

#[test]
fn in_a_hand_out_each_lab_is_found_and_none_is_begun_beside_it() {
    let class = Class::new(1, &[LAB]);
    let top = class.hand_out()["student1"].clone();
    let again = crate::class::run(&top, &["lab", "start", "00"]);
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(
        said.contains("is started already: go on there with `cd ./00-first-contact`"),
        "{said}"
    );
    let status = one_line(&crate::class::run(&top, &["lab", "list"]));
    assert!(status.contains("started, 0 of 13"), "{status}");
    let work = top.join(LAB);
    loop {
        let hint = crate::class::run(&work, &["lab", "hint"]);
        if one_line(&hint).contains("You have had all") {
            break;
        }
    }
    let solution = crate::class::run(&work, &["lab", "hint", "--solution"]);
    assert!(solution.status.success(), "{solution:?}");
    fs::create_dir(class.path("in")).unwrap();
    fs::write(class.path("in/1.zip"), submit(&work)).unwrap();
    let (_, said) = class.grade();
    assert!(
        said.contains("the student took the lab's solution"),
        "{said}"
    );
}

#[test]
fn a_pipe_is_written_to_and_not_replaced() {
    use std::{os::unix::fs::FileTypeExt, process::Command};
    let class = Class::new(1, &[LAB]);
    let work = class.hand_out()["student1"].join(LAB);
    fs::create_dir(class.path("in")).unwrap();
    fs::write(class.path("in/1.zip"), submit(&work)).unwrap();
    class.grade();
    let pipe = class.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let name = pipe.to_str().unwrap();
    for arguments in [
        &["course", "export", "moodle", "--out", name][..],
        &["course", "report", "--out", name],
        &[
            "lab",
            "submit",
            "--dir",
            work.to_str().unwrap(),
            "--out",
            name,
        ],
    ] {
        let reader = Command::new("cat")
            .arg(&pipe)
            .stdout(std::process::Stdio::piped())
            .spawn();
        class.runs(arguments);
        let read = reader.unwrap().wait_with_output().unwrap().stdout;
        assert!(read.len() > 50, "{arguments:?}");
        assert!(
            fs::metadata(&pipe).unwrap().file_type().is_fifo(),
            "{arguments:?}"
        );
    }
}
