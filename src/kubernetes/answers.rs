//! What the API server answers, in words for people. Knows no request.

use kube::core::Status;

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
}
