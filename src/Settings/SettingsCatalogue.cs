using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Settings;

/// <summary>
/// Every key that a server understands, put together once at its start and not changed after the first
/// <see cref="Load"/>: definitions, other names for them, rules between them, and the RocketMQ keys that mean nothing here.
/// </summary>
public sealed class SettingsCatalogue
{
    private readonly Dictionary<string, SettingDefinition> _definitions = new(StringComparer.Ordinal);
    private readonly List<SettingDefinition> _order = [];
    private readonly Dictionary<string, string> _aliases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IgnoredKey> _ignored = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly List<(string Key, Func<EffectiveSettings, string?> Rule)> _rules = [];

    /// <param name="server">What is configured: "broker", "namesrv". Appears in messages and environment variables.</param>
    public SettingsCatalogue(string server)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(server);
        Server = server;
    }

    public string Server { get; }

    /// <summary>The definitions in the order they were made.</summary>
    public IReadOnlyList<SettingDefinition> Definitions => _order;

    /// <summary>Environment variables with a name of their own, and the keys they stand for.</summary>
    internal IReadOnlyDictionary<string, string> Variables => _variables;

    internal IReadOnlyList<(string Key, Func<EffectiveSettings, string?> Rule)> Rules => _rules;

    public SettingsCatalogue Define(params IEnumerable<SettingDefinition> definitions)
    {
        foreach (SettingDefinition definition in definitions)
        {
            if (_aliases.ContainsKey(definition.Key) || !_definitions.TryAdd(definition.Key, definition))
            {
                throw new ArgumentException($"{definition.Key} is defined twice", nameof(definitions));
            }
            _order.Add(definition);
        }
        return this;
    }

    /// <summary>Another name under which <paramref name="key"/> may be given, as if it were the key itself.</summary>
    public SettingsCatalogue Alias(string alias, string key)
    {
        RequireDefined(key);
        if (_definitions.ContainsKey(alias) || !_aliases.TryAdd(alias, key))
        {
            throw new ArgumentException($"{alias} is defined twice", nameof(alias));
        }
        return this;
    }

    /// <summary>An environment variable that RocketMQ reads (NAMESRV_ADDR); GRAYMQ_… variables need no mapping.</summary>
    public SettingsCatalogue Variable(string variable, string key)
    {
        RequireDefined(key);
        _variables.Add(variable, key);
        return this;
    }

    /// <summary>Keys that cost a warning and nothing else; those that are also defined or aliased keep their meaning.</summary>
    public SettingsCatalogue Ignore(IEnumerable<IgnoredKey> keys)
    {
        foreach (IgnoredKey key in keys)
        {
            _ignored[key.Key] = key;
        }
        return this;
    }

    /// <summary>
    /// A condition between settings, checked when each of them is right by itself. It returns what is expected (words
    /// that follow "expected "), or null; the error names <paramref name="key"/> and the place its value comes from.
    /// </summary>
    public SettingsCatalogue Require(SettingDefinition key, Func<EffectiveSettings, string?> rule)
    {
        RequireDefined(key.Key);
        _rules.Add((key.Key, rule));
        return this;
    }

    /// <summary>
    /// Works out the effective settings. Never throws for what was given: all of it is in
    /// <see cref="SettingsLoad.Errors"/>.
    /// </summary>
    public SettingsLoad Load(SettingsSources sources) => SettingsLoader.Load(this, sources);

    /// <summary>Whether a key (or alias) is defined, or known and ignored: whether giving it is no error.</summary>
    public bool Knows(string key) => TryFind(key, out _) || TryFindIgnored(key, out _);

    /// <summary>Whether a key (or alias) has a meaning here.</summary>
    public bool Defines(string key) => TryFind(key, out _);

    internal bool TryFind(string key, [NotNullWhen(true)] out SettingDefinition? definition) =>
        _definitions.TryGetValue(_aliases.GetValueOrDefault(key, key), out definition);

    internal bool TryFindIgnored(string key, [NotNullWhen(true)] out IgnoredKey? ignored) =>
        _ignored.TryGetValue(key, out ignored);

    /// <summary>Names that mean something, before names that are merely known.</summary>
    internal string? FindNearest(string key) =>
        NearestName.Find(key, _order.Select(definition => definition.Key).Concat(_aliases.Keys).Concat(_ignored.Keys));

    private void RequireDefined(string key)
    {
        if (!_definitions.ContainsKey(key))
        {
            throw new ArgumentException($"{key} is not defined", nameof(key));
        }
    }
}
