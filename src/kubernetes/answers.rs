//! What the API server answers, and what failed because of it, in words for people. Knows no request.

use std::error::Error;

use kube::core::Status;

/// Bytes of a chain, at most: the API server names each key that it refuses, and a status has to
/// be stored.
const LONGEST_CHAIN: usize = 4096;

/// The answer's message, which is the cause; of a right that is missing the remedy besides. The API server
/// names verb, resource and where in the message itself.
pub fn in_words(answer: &Status) -> String {
    let Status {
        code,
        reason,
        message,
        ..
    } = answer;
    if message.is_empty() {
        return format!("HTTP {code} {reason}");
    }
    match remedy(answer) {
        Some(remedy) => format!("{message}; {remedy}"),
        None => message.clone(),
    }
}

/// Whether a right is missing. Admission, quotas and the like forbid as well, by other words.
pub fn lacks_right(answer: &Status) -> bool {
    answer.code == 403
        && answer.message.contains("\" cannot ")
        && answer.message.contains(" resource \"")
}

fn remedy(answer: &Status) -> Option<&'static str> {
    if lacks_right(answer) {
        return Some("grant this to the operator's role");
    }
    // told by admission plugin OwnerReferencesPermissionEnforcement without verb or resource
    (answer.code == 403 && answer.message.contains("you can't set finalizers on"))
        .then_some("grant update on externalsecrets/finalizers to the operator's role")
}

/// The error and its causes in one line of bounded length: `a: b: c`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut source) = words(error);
    while let Some(cause) = source {
        let (cause_text, deeper) = words(cause);
        // transparent errors repeat their source's text
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = deeper;
    }
    if text.len() > LONGEST_CHAIN {
        text.truncate(text.floor_char_boundary(LONGEST_CHAIN));
        text.push_str("...");
    }
    text
}

/// The error's own text and its cause. The API server's answer has words of its own: kube adds the
/// debug form of the whole answer, twice.
fn words<'a>(error: &'a (dyn Error + 'static)) -> (String, Option<&'a (dyn Error + 'static)>) {
    match error.downcast_ref::<kube::Error>() {
        Some(kube::Error::Api(answer)) => (in_words(answer), None),
        _ => (error.to_string(), error.source()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(message: &str) -> String {
        in_words(&Status::failure(message, "Forbidden").with_code(403))
    }

    #[test]
    fn a_missing_right_comes_with_its_remedy_and_nothing_else_does() {
        let right = "secrets is forbidden: User \"a\" cannot list resource \"secrets\" in API \
                     group \"\" at the cluster scope";
        assert_eq!(
            forbidden(right),
            format!("{right}; grant this to the operator's role")
        );
        let owner = "secrets \"a\" is forbidden: cannot set blockOwnerDeletion if an \
                     ownerReference refers to a resource you can't set finalizers on: , <nil>";
        assert_eq!(
            forbidden(owner),
            format!("{owner}; grant update on externalsecrets/finalizers to the operator's role")
        );
        let quota = "secrets \"a\" is forbidden: exceeded quota: all";
        assert_eq!(forbidden(quota), quota);
        assert_eq!(forbidden(""), "HTTP 403 Forbidden");
    }

    #[test]
    fn a_chain_names_each_cause_once() {
        let error = anyhow::anyhow!("no route")
            .context("connect failed")
            .context("sync failed");
        assert_eq!(
            chain(error.as_ref()),
            "sync failed: connect failed: no route"
        );
    }

    #[test]
    fn a_chain_is_cut_where_it_is_too_long() {
        let error = anyhow::anyhow!("ä".repeat(LONGEST_CHAIN)).context("e");
        let text = chain(error.as_ref());
        assert!(
            text.starts_with("e: ää") && text.ends_with("ä..."),
            "{text}"
        );
        assert!(text.len() <= LONGEST_CHAIN + 3, "{}", text.len());
    }

    #[test]
    fn the_api_servers_answer_is_its_message() {
        let answer = kube::core::Status::failure("secrets \"a\" is forbidden", "Forbidden");
        let error = anyhow::Error::new(kube::Error::Api(Box::new(answer)))
            .context("could not read the target secret");
        assert_eq!(
            chain(error.as_ref()),
            "could not read the target secret: secrets \"a\" is forbidden"
        );
    }
}
