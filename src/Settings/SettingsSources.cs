namespace GrayMQ.Settings;

/// <summary>
/// Everything that was given at a start, with its places. The order of the calls does not matter between kinds of places
/// (default, profile, environment, file, command line); within a kind the later one counts.
/// </summary>
public sealed class SettingsSources
{
    private readonly List<GivenValue> _profileValues = [];
    private readonly List<SettingsFile> _files = [];
    private readonly List<GivenValue> _options = [];
    private readonly List<SettingProblem> _problems = [];
    private readonly List<KeyValuePair<string, string>> _variables = [];

    internal IReadOnlyList<GivenValue> ProfileValues => _profileValues;

    internal IReadOnlyList<SettingsFile> Files => _files;

    internal IReadOnlyList<GivenValue> Options => _options;

    internal IReadOnlyList<SettingProblem> Problems => _problems;

    internal IReadOnlyList<KeyValuePair<string, string>> Variables => _variables;

    /// <summary>What a command sets by itself where nobody says otherwise: <c>Profile("standalone", "httpPort", "8080")</c>.</summary>
    public SettingsSources Profile(string profile, string key, string value)
    {
        _profileValues.Add(new GivenValue(key, value, SettingPlace.Profile(profile)));
        return this;
    }

    /// <summary>
    /// Environment variables; those that start with GRAYMQ_ or are mapped by the catalogue are looked at. GRAYMQ_LISTEN_PORT
    /// gives listenPort to every server in the process, GRAYMQ_BROKER_LISTEN_PORT to the broker alone. Case and
    /// underscores within the key make no difference.
    /// </summary>
    public SettingsSources Environment(IEnumerable<KeyValuePair<string, string>> variables)
    {
        _variables.AddRange(variables);
        return this;
    }

    /// <summary>The environment of this process.</summary>
    public SettingsSources Environment() =>
        Environment(System.Environment.GetEnvironmentVariables()
            .Cast<System.Collections.DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? "")));

    /// <summary>The file of -c; unreadable lines become errors of the load.</summary>
    public SettingsSources File(SettingsFile file)
    {
        _files.Add(file);
        return this;
    }

    /// <inheritdoc cref="File(SettingsFile)"/>
    public SettingsSources File(string path) => File(SettingsFile.Read(path));

    /// <summary>One <c>--set key=value</c>.</summary>
    public SettingsSources Set(string assignment)
    {
        int separator = assignment.IndexOf('=', StringComparison.Ordinal);
        if (separator <= 0)
        {
            _problems.Add(new SettingProblem(assignment, null, "expected key=value", SettingPlace.Option("--set")));
            return this;
        }
        return Option("--set", assignment[..separator].Trim(), assignment[(separator + 1)..]);
    }

    /// <summary>An option that stands for a key: <c>Option("--broker-port", "listenPort", "10911")</c>.</summary>
    public SettingsSources Option(string option, string key, string value)
    {
        _options.Add(new GivenValue(key, value, SettingPlace.Option(option)));
        return this;
    }
}
