//! Keys of code hosts, package registries and build services.
//! Knows nothing of how they are searched.

use super::super::rule::{Rule, assigned, form, named};

pub(super) const RULES: &[Rule] = &[
    form("github-token", "a personal access token of GitHub", &["ghp_"], r"\b(ghp_[A-Za-z0-9]{36,255})\b").bits(3.0),
    form("github-fine-token", "a fine-grained token of GitHub", &["github_pat_"], r"\b(github_pat_\w{82,255})\b")
        .bits(3.0),
    form("github-oauth-token", "an OAuth token of GitHub", &["gho_"], r"\b(gho_[A-Za-z0-9]{36,255})\b").bits(3.0),
    form("github-app-token", "an app token of GitHub", &["ghu_", "ghs_"], r"\b(gh[us]_[A-Za-z0-9]{36,255})\b")
        .bits(3.0),
    form("github-refresh-token", "a refresh token of GitHub", &["ghr_"], r"\b(ghr_[A-Za-z0-9]{36,255})\b").bits(3.0),
    form(
        "gitlab-token",
        "a personal access token of GitLab",
        &["glpat-"],
        r"\b(glpat-[\w-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?)",
    )
    .bits(3.0),
    form(
        "gitlab-service-token",
        "a deploy, trigger, runner or agent token of GitLab",
        &["gldt-", "glptt-", "glrt-", "glcbt-", "glimt-", "glagent-", "gloas-", "glsoat-", "glft-", "glffct-", "glwt-"],
        r"\b(gl(?:dt|ptt|rt|cbt|imt|agent|oas|soat|ft|ffct|wt)-[\w-]{16,300})",
    )
    .bits(3.0),
    form("gitlab-runner-token", "a registration token of GitLab", &["gr1348941"], r"\b(GR1348941[\w-]{20})").bits(3.0),
    form(
        "bitbucket-token",
        "a token of Bitbucket",
        &["atbb", "atctt3"],
        r"\b(ATBB[A-Za-z0-9]{32}|ATCTT3[\w=-]{100,400})\b",
    )
    .bits(3.0),
    form("atlassian-token", "an API token of Atlassian", &["atatt3"], r"\b(ATATT3[\w=-]{100,400})").bits(3.5),
    form("npm-token", "a token of npm", &["npm_"], r"\b(npm_[A-Za-z0-9]{36})\b").bits(3.0),
    named(
        "npmrc-auth",
        "a token in .npmrc",
        &["_authtoken", "_auth", "_password"],
        r#"(?:^|[:/])_(?:authToken|auth|password)\s{0,4}=\s{0,4}["']?([A-Za-z0-9_.+/=-]{20,400})"#,
    )
    .bits(3.3),
    form("pypi-token", "a token of PyPI", &["pypi-age"], r"\b(pypi-AgE[\w-]{50,1000})").bits(3.5),
    form("crates-token", "a token of crates.io", &["cio"], r"\b(cio[A-Za-z0-9]{32})\b").bits(3.8),
    form("rubygems-token", "a token of RubyGems", &["rubygems_"], r"\b(rubygems_[a-f0-9]{48})\b"),
    form("nuget-key", "a key of NuGet", &["oy2"], r"\b(oy2[a-z0-9]{43})\b").bits(3.5),
    form("packagist-token", "a token of Packagist", &["packagist_"], r"\b(packagist_[ou][ru]t_[a-f0-9]{68})\b"),
    form("clojars-token", "a token of Clojars", &["clojars_"], r"\b(CLOJARS_[A-Za-z0-9]{60})\b").bits(3.0),
    form("dockerhub-token", "a token of Docker Hub", &["dckr_"], r"\b(dckr_(?:pat|oat)_[\w-]{20,60})").bits(3.0),
    named(
        "docker-config-auth",
        "a login in Docker's config.json",
        &["\"auth\""],
        r#""auth"\s{0,4}:\s{0,4}"([A-Za-z0-9+/]{20,400}={0,2})""#,
    )
    .bits(3.5),
    form("artifactory-key", "a key of Artifactory", &["akcp"], r"\b(AKCp[A-Za-z0-9]{69,73})\b").bits(3.5),
    form("artifactory-reference", "a reference token of Artifactory", &["cmvmd"], r"\b(cmVmd[A-Za-z0-9]{59})\b")
        .bits(3.5),
    form("circleci-token", "a token of CircleCI", &["ccipat_"], r"\b(CCIPAT_[A-Za-z0-9]{22}_[a-f0-9]{40})\b"),
    form("buildkite-token", "a token of Buildkite", &["bkua_", "bkct_"], r"\b(bk(?:ua|ct)_[A-Za-z0-9]{40,64})\b")
        .bits(3.0),
    form("sonar-token", "a token of SonarQube", &["squ_", "sqp_", "sqa_"], r"\b(sq[upa]_[a-f0-9]{40})\b"),
    named(
        "snyk-token",
        "a token of Snyk",
        &["snyk"],
        assigned!("snyk", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ),
    named(
        "codecov-token",
        "a token of Codecov",
        &["codecov"],
        assigned!("codecov", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    ),
    named("travis-token", "a token of Travis CI", &["travis"], assigned!("travis", "[A-Za-z0-9_-]{22}")).bits(3.5),
    form(
        "sourcegraph-token",
        "a token of Sourcegraph",
        &["sgp_"],
        r"\b(sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40})\b",
    ),
    form(
        "gitea-token",
        "a token of a Gitea runner",
        &["gitea"],
        assigned!("gitea[\\w .-]{0,20}?token", "[a-f0-9]{40}"),
    ),
    form(
        "linear-token",
        "a token of Linear",
        &["lin_api_", "lin_oauth_"],
        r"\b(lin_(?:api|oauth)_[A-Za-z0-9]{32,64})\b",
    )
    .bits(3.0),
];
