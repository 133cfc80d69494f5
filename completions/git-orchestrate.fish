# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_git_orchestrate_global_optspecs
    string join \n C= v/verbose q/quiet color= h/help V/version
end

function __fish_git_orchestrate_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_git_orchestrate_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_git_orchestrate_using_subcommand
    set -l cmd (__fish_git_orchestrate_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -s V -l version -d 'Print version'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "init" -d 'Find agents and tests, make the key, write the configuration'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "task" -d 'Add, list, show, edit and import tasks'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "plan" -d 'Say what collides, what goes side by side, how long it takes and what it costs; do nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "start" -d 'Work on the queue until nothing more can be done'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "status" -d 'Show how every task stands and what the workers do'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "resume" -d 'Go on where a run was stopped or died'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "stop" -d 'Ask the run that is at work to stop'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "pause" -d 'Start nothing more for some tasks until they are resumed'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "jobs" -d 'Give the run that is at work more or fewer workers'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "review" -d 'Show what waits for a person, and decide it'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "show" -d 'Show one task with all that is known of it'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "log" -d 'Show every step: who, which model, how it ended, what it cost, its commit and signature'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "verify" -d 'Prove that what is there is what was done: signatures, steps, states, verdicts, landings'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "gate" -d 'Run the tests and linters on a commit, and say what got worse'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "land" -d 'Put the integration branch onto your branch'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "hooks" -d 'Judge what is pushed and committed, by git hooks beside your own'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "hook" -d 'What git runs as a hook: reads what git tells, and refuses or says nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "agents" -d 'List the agents with version and health, or say who is asked for a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "stats" -d 'Show what came of agents\' steps: how often they succeed, what that takes and costs'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "doctor" -d 'Say what is missing, and what to type'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "clean" -d 'Remove what no task needs any more'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "demo" -d 'Do the main job on a scratch repository with recorded agents: no account needed'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "completions" -d 'Print a script with which a shell completes our command line'
complete -c git-orchestrate -n "__fish_git_orchestrate_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -l agent -d 'Use this agent (claude, codex, gemini, opencode; over HTTP: anthropic, openai, google); the first one writes' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -l gate -d 'Test with this command and not with what the project\'s files tell' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -s y -l yes -d 'Ask nothing: take what is found'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand init" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -f -a "add" -d 'Add a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -f -a "list" -d 'List the tasks of the queue'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -f -a "show" -d 'Show what is wanted of a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -f -a "edit" -d 'Change a task, in your editor or by options'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -f -a "import" -d 'Take files of prompts into the queue, a task each'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and not __fish_seen_subcommand_from add list show edit import help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l id -d 'Its name [default: the next in the queue\'s manner of counting]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l goal -d 'What is to be reached, in your words' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l goal-file -d 'Read the goal from this file; - is standard input' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l risk -d 'How much harm a mistake could do' -r -f -a "low\t''
medium\t''
high\t''"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l area -d 'The part of the product it belongs to, a free word' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l kind -d 'A free word: feature, fix, refactoring, docs …' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l complexity -d 'How much work it is' -r -f -a "small\t''
medium\t''
large\t''"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l priority -d 'Higher goes first; 0 is usual' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l depends-on -d 'A task whose landed result this one starts from' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l file -d 'Files it will change' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l context -d 'Files it should read first' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l constraint -d 'What must not happen' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l accept -d 'What must be true at the end' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l workflow -d 'The workflow that drives it' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l label -d 'A free word that a workflow can ask for' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l budget -d 'What it may cost in all' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l timeout -d 'How long its steps may take in all: 90m, 2h' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from list" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from list" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from show" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from show" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l title -d 'One line that says what is to be done' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l goal -d 'What is to be reached, in your words' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l goal-file -d 'Read the goal from this file; - is standard input' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l risk -d 'How much harm a mistake could do' -r -f -a "low\t''
medium\t''
high\t''"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l area -d 'The part of the product it belongs to, a free word' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l kind -d 'A free word: feature, fix, refactoring, docs …' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l complexity -d 'How much work it is' -r -f -a "small\t''
medium\t''
large\t''"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l priority -d 'Higher goes first; 0 is usual' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l depends-on -d 'A task whose landed result this one starts from' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l file -d 'Files it will change' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l context -d 'Files it should read first' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l constraint -d 'What must not happen' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l accept -d 'What must be true at the end' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l workflow -d 'The workflow that drives it' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l label -d 'A free word that a workflow can ask for' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l budget -d 'What it may cost in all' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l timeout -d 'How long its steps may take in all: 90m, 2h' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from edit" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from import" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from import" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from import" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from import" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from help" -f -a "add" -d 'Add a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the tasks of the queue'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from help" -f -a "show" -d 'Show what is wanted of a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from help" -f -a "edit" -d 'Change a task, in your editor or by options'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from help" -f -a "import" -d 'Take files of prompts into the queue, a task each'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand task; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -s j -l jobs -d 'Say how long it takes with this many workers too [default: as configured]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -l dot -d 'Print the graph for Graphviz'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -l mermaid -d 'Print the graph for Mermaid'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand plan" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s j -l jobs -d 'Workers; each does one step at a time [default: limits.jobs of the configuration]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s w -l workflow -d 'The workflow of tasks that have not begun and name none' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -l until -d 'Stop each task before this phase' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -l budget -d 'What this run may cost, in dollars; goes before the budgets of run, day and month of the configuration' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s n -l dry-run -d 'Check everything, say what would be done, and do nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -l json -d 'Print events as JSON, one object a line'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -l reload -d 'Take up definitions of begun tasks that were edited since'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s y -l yes -d 'Ask nothing; begin tasks too that are likely to cost far more than usual'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand start" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -l porcelain -d 'Print one record a task, in a format that stays' -r -f -a "v1\t'`task <state> <id> <phase|-> <done>/<total> <attempt> <commit|-> <cost in micro-dollars> <title>`'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -s w -l watch -d 'Show it again whenever it changes, until Ctrl-C'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -s z -d 'End each record of --porcelain with NUL, and do not clean titles'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s j -l jobs -d 'Workers; each does one step at a time [default: limits.jobs of the configuration]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s w -l workflow -d 'The workflow of tasks that have not begun and name none' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -l until -d 'Stop each task before this phase' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -l budget -d 'What this run may cost, in dollars; goes before the budgets of run, day and month of the configuration' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s n -l dry-run -d 'Check everything, say what would be done, and do nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -l json -d 'Print events as JSON, one object a line'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -l reload -d 'Take up definitions of begun tasks that were edited since'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s y -l yes -d 'Ask nothing; begin tasks too that are likely to cost far more than usual'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand resume" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -l now -d 'End the running steps too, do not wait for them; their work is saved'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -l after-step -d 'Let the running steps finish and start nothing new, which is what is done where nothing else is said'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stop" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand pause" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand pause" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand pause" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand pause" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand pause" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand jobs" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand jobs" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand jobs" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand jobs" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand jobs" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l feedback -d 'Try again with this advice; - reads it from standard input' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l why -d 'Of all, only what waits for a reason with this text in it' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l approve -d 'Overrule the review: the phase counts as passed'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l retry -d 'Try again as it is'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l skip -d 'Pass over the phase'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l abort -d 'Give up the task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l all -d 'Decide for all that waits'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l dry-run -d 'Only say what would be decided'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l yes -d 'Approve, skip or abort all without a question'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand review" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -l prompt -d 'Show what an agent is told for this phase' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -l transcript -d 'Show all that an agent printed in this step [default: the last that an agent made]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -l gate -d 'Show what its gate said last, with the output of what failed'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand show" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -s n -l max-count -d 'Only the last N steps of each task' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -l audit -d 'Judge every step as \'verify\' does, and print one line of JSON for each, the oldest first'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand log" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -l allowed-signers -d 'Believe the keys of this file alone, in ssh\'s allowed-signers format' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -l strict -d 'Believe no keys that come along with the commits, and nothing that was judged before'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand verify" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l profile -d 'The gate to use, or auto: the one for the size of the change [default: the one that landing uses, else full]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l against -d 'Compare with the commit where it left this one [default: HEAD for what is not committed, else the main branch, else the parent]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l staged -d 'Judge what is staged: what a commit would have now'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l worktree -d 'Judge the files as they are, ignored ones left out'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l fresh -d 'Run the checks although their verdict is remembered'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l sarif -d 'Print SARIF 2.1.0, for what shows findings beside the code'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -l junit -d 'Print JUnit\'s XML, for build servers'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand gate" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -l into -d 'The branch to land on [default: the one that is checked out]' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -s n -l dry-run -d 'Say what would be done, and do nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -l ff-only -d 'Refuse unless the branch can be moved forward without a merge'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -l no-ff -d 'Make a merge commit even where the branch could be moved forward'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand land" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -f -a "install" -d 'Put pre-push and commit-msg hooks beside those that are there'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -f -a "uninstall" -d 'Take them away; all else stays as it is'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -f -a "status" -d 'Show how they stand, and prove by a bad push that it is refused'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and not __fish_seen_subcommand_from install uninstall status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -l method -d 'How: config (git\'s settings, git 2.54), files (the hooks directory), chain (a directory of ours that runs the others)' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -l pre-commit -d 'Install a pre-commit hook too: secrets, and the fast gate of [hooks] pre_commit'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -l manual -d 'Print what to add to your own hooks or to your hook manager, and change nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from install" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from uninstall" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from uninstall" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from uninstall" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from uninstall" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from uninstall" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from status" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from status" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from status" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from help" -f -a "install" -d 'Put pre-push and commit-msg hooks beside those that are there'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from help" -f -a "uninstall" -d 'Take them away; all else stays as it is'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from help" -f -a "status" -d 'Show how they stand, and prove by a bad push that it is refused'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hooks; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hook" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hook" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hook" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hook" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand hook" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -f -a "route" -d 'Say who is asked for the phases of a task, and why'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and not __fish_seen_subcommand_from route help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -l phase -d 'Only this phase, be it over or not: implement, implement/S2' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -l explain -d 'Tell of every candidate why it is taken or not, and what history says'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -l json -d 'Print one JSON object, with all that --explain tells'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from route" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "route" -d 'Say who is asked for the phases of a task, and why'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand agents; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -l by -d 'Rows by role, model, agent, area, risk, kind, complexity, task, day or month' -r -f -a "role\t''
model\t''
agent\t''
area\t''
risk\t''
kind\t''
complexity\t''
task\t''
day\t''
month\t''"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -l since -d 'Only steps that began since: 30d, 12h, 2026-01-31, 2026-01-31T08:00:00Z' -r
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand stats" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand doctor" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand doctor" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand doctor" -l json -d 'Print one JSON object'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand doctor" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand doctor" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -s n -l dry-run -d 'Say what would be removed, and remove nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -l all -d 'Also the worktrees and caches that the next run would use again'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand clean" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand demo" -l dir -d 'Where the repository is made; it must hold nothing yet [default: a new directory below your cache]' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand demo" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand demo" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand demo" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand demo" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand demo" -s h -l help -d 'Print help'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand completions" -s C -d 'Run as if started in this directory; each further one is relative to the one before' -r -F
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand completions" -l color -d 'When to use colours: auto, always or never' -r -f -a "auto\t'On a terminal, unless NO_COLOR, TERM=dumb or git\'s color.ui say no'
always\t'Always'
never\t'Never'"
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand completions" -s v -l verbose -d 'Tell more; twice: what the program does inside'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand completions" -s q -l quiet -d 'Tell only what went wrong, and what was asked for'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "init" -d 'Find agents and tests, make the key, write the configuration'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "task" -d 'Add, list, show, edit and import tasks'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "plan" -d 'Say what collides, what goes side by side, how long it takes and what it costs; do nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "start" -d 'Work on the queue until nothing more can be done'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "status" -d 'Show how every task stands and what the workers do'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "resume" -d 'Go on where a run was stopped or died'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "stop" -d 'Ask the run that is at work to stop'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "pause" -d 'Start nothing more for some tasks until they are resumed'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "jobs" -d 'Give the run that is at work more or fewer workers'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "review" -d 'Show what waits for a person, and decide it'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "show" -d 'Show one task with all that is known of it'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "log" -d 'Show every step: who, which model, how it ended, what it cost, its commit and signature'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "verify" -d 'Prove that what is there is what was done: signatures, steps, states, verdicts, landings'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "gate" -d 'Run the tests and linters on a commit, and say what got worse'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "land" -d 'Put the integration branch onto your branch'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "hooks" -d 'Judge what is pushed and committed, by git hooks beside your own'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "hook" -d 'What git runs as a hook: reads what git tells, and refuses or says nothing'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "agents" -d 'List the agents with version and health, or say who is asked for a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "stats" -d 'Show what came of agents\' steps: how often they succeed, what that takes and costs'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "doctor" -d 'Say what is missing, and what to type'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "clean" -d 'Remove what no task needs any more'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "demo" -d 'Do the main job on a scratch repository with recorded agents: no account needed'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "completions" -d 'Print a script with which a shell completes our command line'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and not __fish_seen_subcommand_from init task plan start status resume stop pause jobs review show log verify gate land hooks hook agents stats doctor clean demo completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from task" -f -a "add" -d 'Add a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from task" -f -a "list" -d 'List the tasks of the queue'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from task" -f -a "show" -d 'Show what is wanted of a task'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from task" -f -a "edit" -d 'Change a task, in your editor or by options'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from task" -f -a "import" -d 'Take files of prompts into the queue, a task each'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from hooks" -f -a "install" -d 'Put pre-push and commit-msg hooks beside those that are there'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from hooks" -f -a "uninstall" -d 'Take them away; all else stays as it is'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from hooks" -f -a "status" -d 'Show how they stand, and prove by a bad push that it is refused'
complete -c git-orchestrate -n "__fish_git_orchestrate_using_subcommand help; and __fish_seen_subcommand_from agents" -f -a "route" -d 'Say who is asked for the phases of a task, and why'

function __fish_git_orchestrate_behind_git
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = orchestrate
end
complete -c git -n __fish_git_orchestrate_behind_git -f -a "(complete -C (string replace -r '^\s*git\s+orchestrate' git-orchestrate -- (commandline -cp)))"
