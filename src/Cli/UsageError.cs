using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using GrayMQ.Settings;

namespace GrayMQ.Cli;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageError
{
    /// <returns><see cref="ExitCode.Usage"/></returns>
    public static int Report(ParseResult parsed, CommandContext context)
    {
        foreach (string problem in FindProblems(parsed))
        {
            context.WriteError(problem);
        }

        context.Error.WriteLine($"Try '{PathOf(parsed)} --help'.");
        return ExitCode.Usage;
    }

    private static IEnumerable<string> FindProblems(ParseResult parsed)
    {
        // What follows a word that nobody knows is not known either: the first one says enough.
        if (parsed.UnmatchedTokens is [var unknown, ..])
        {
            string hint = NearestName.Find(unknown, Candidates(parsed.CommandResult.Command, unknown)) is { } nearest
                ? $": did you mean {nearest}?"
                : "";
            bool isOption = unknown.StartsWith('-');
            return [$"{(isOption ? "unknown option" : "unexpected argument")} {unknown}{hint}"];
        }

        if (parsed.CommandResult.Command is { Subcommands.Count: > 0, Action: null } group)
        {
            return [$"expected a command: {string.Join(", ", group.Subcommands.Select(command => command.Name))}"];
        }

        return parsed.Errors.Select(Describe).Distinct();
    }

    // In one line, and without the names of .NET's types.
    private static string Describe(ParseError error) =>
        error.SymbolResult is OptionResult { Option: { } option, Tokens: [.., { Value: var value }] } && IsNoNumber(option.ValueType, value)
            ? $"{option.Name}: {value}: expected a whole number"
            : string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static bool IsNoNumber(Type type, string text) =>
        type == typeof(int) || type == typeof(int?) ? !int.TryParse(text, CultureInfo.InvariantCulture, out _)
        : (type == typeof(long) || type == typeof(long?)) && !long.TryParse(text, CultureInfo.InvariantCulture, out _);

    private static IEnumerable<string> Candidates(Command command, string unknown) => unknown.StartsWith('-')
        ? command.Options.Where(option => !option.Hidden).Select(option => option.Name)
        : command.Subcommands.Select(subcommand => subcommand.Name);

    private static string PathOf(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (SymbolResult? result = parsed.CommandResult; result is CommandResult command; result = result.Parent)
        {
            names.Push(command.Command is RootCommand ? "graymq" : command.Command.Name);
        }

        return string.Join(' ', names);
    }
}
