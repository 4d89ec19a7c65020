using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Settings;

/// <summary>Finds out which environment variables stand for which keys of a catalogue.</summary>
internal sealed class EnvironmentReader
{
    private const string Prefix = "GRAYMQ_";

    /// <summary>
    /// An environment holds variables of other tools too (a service named graymq in Kubernetes brings GRAYMQ_PORT and more),
    /// so an unknown one stops nothing. It is worth a warning when it is this near to a key, in edits.
    /// </summary>
    private const int MisspeltWithin = 2;

    private readonly SettingsCatalogue _catalogue;
    private readonly IEnumerable<KeyValuePair<string, string>> _variables;
    private readonly Dictionary<string, string> _keys = new(StringComparer.Ordinal);
    private readonly string _server;

    public EnvironmentReader(SettingsCatalogue catalogue, IEnumerable<KeyValuePair<string, string>> variables)
    {
        _catalogue = catalogue;
        _variables = variables;
        _server = Normalize(catalogue.Server);
        foreach (SettingDefinition definition in catalogue.Definitions)
        {
            _keys[Normalize(definition.Key)] = definition.Key;
        }
    }

    /// <summary>The values in the order in which they override each other: RocketMQ's names, ours, ours for this server.</summary>
    public IEnumerable<GivenValue> Read(List<SettingProblem> warnings)
    {
        var found = new List<(int Rank, GivenValue Given)>();
        foreach ((string variable, string value) in _variables.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (_catalogue.Variables.TryGetValue(variable, out string? mapped))
            {
                found.Add((0, new GivenValue(mapped, value, SettingPlace.Variable(variable))));
            }
            else if (variable.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            {
                string name = Normalize(variable[Prefix.Length..]);
                if (TryFindKey(name, out string? key, out int rank))
                {
                    found.Add((rank, new GivenValue(key, value, SettingPlace.Variable(variable))));
                }
                else if (FindMisspelt(name) is { } meant)
                {
                    warnings.Add(new SettingProblem(
                        null, null, $"stands for no setting and is ignored; did you mean {NameFor(meant)}?",
                        SettingPlace.Variable(variable)));
                }
            }
        }
        return found.OrderBy(pair => pair.Rank).Select(pair => pair.Given);
    }

    /// <summary>The variable that a person would write for a key: GRAYMQ_LISTEN_PORT.</summary>
    public static string NameFor(string key) => Prefix + Setting.UpperSnake(key);

    private bool TryFindKey(string name, [NotNullWhen(true)] out string? key, out int rank)
    {
        rank = 1;
        if (_keys.TryGetValue(name, out key))
        {
            return true;
        }
        rank = 2;
        return name.StartsWith(_server, StringComparison.Ordinal) && _keys.TryGetValue(name[_server.Length..], out key);
    }

    private string? FindMisspelt(string name)
    {
        string? nearest = NearestName.Find(name, _keys.Keys);
        return nearest is not null && NearestName.Distance(name, nearest) <= MisspeltWithin ? _keys[nearest] : null;
    }

    private static string Normalize(string name) =>
        name.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
