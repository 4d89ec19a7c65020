namespace GrayMQ.Settings;

/// <summary>What was given cannot be used; <see cref="Problems"/> holds all of it, the message one line for each.</summary>
public sealed class SettingsException : Exception
{
    public SettingsException(string message)
        : base(message)
    {
    }

    public SettingsException(string message, Exception inner)
        : base(message, inner)
    {
    }

    public SettingsException()
    {
    }

    internal SettingsException(string server, IReadOnlyList<SettingProblem> problems)
        : base(Describe(server, problems)) => Problems = problems;

    public IReadOnlyList<SettingProblem> Problems { get; } = [];

    private static string Describe(string server, IReadOnlyList<SettingProblem> problems)
    {
        string head = problems.Count == 1
            ? $"The settings of the {server} hold an error:"
            : $"The settings of the {server} hold {problems.Count} errors:";
        return string.Join('\n', problems.Select(problem => "  " + problem).Prepend(head));
    }
}
