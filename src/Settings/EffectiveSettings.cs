using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Settings;

/// <summary>
/// The value of every setting of a catalogue, with its place. Does not change once it is loaded: a change while running
/// makes a new one. Reads are for the start and for changes; hot paths keep what they need in options of their own.
/// </summary>
public sealed class EffectiveSettings
{
    private readonly SettingsCatalogue _catalogue;
    private readonly Dictionary<string, EffectiveSetting> _settings = new(StringComparer.Ordinal);

    internal EffectiveSettings(SettingsCatalogue catalogue) => _catalogue = catalogue;

    public string Server => _catalogue.Server;

    /// <summary>All settings, ordered by key.</summary>
    public IEnumerable<EffectiveSetting> All =>
        _settings.Values.OrderBy(setting => setting.Key, StringComparer.OrdinalIgnoreCase);

    /// <summary>The value of a setting that the catalogue defines.</summary>
    /// <exception cref="ArgumentException">The catalogue does not define it (or, in Derive, not yet).</exception>
    public T Get<T>(SettingDefinition<T> definition)
        where T : notnull => Get<T>(definition.Key);

    /// <inheritdoc cref="Get{T}(SettingDefinition{T})"/>
    public T Get<T>(string key)
        where T : notnull =>
        Find(key).Value is T value
            ? value
            : throw new ArgumentException($"{key} is a {Find(key).Definition.TypeName}, not a {typeof(T).Name}", nameof(key));

    /// <summary>Value and place of one setting.</summary>
    /// <exception cref="ArgumentException">The catalogue does not define it.</exception>
    public EffectiveSetting Find(string key) =>
        _settings.TryGetValue(key, out EffectiveSetting? setting)
            ? setting
            : throw new ArgumentException($"{key} is not a setting of the {Server}", nameof(key));

    /// <summary>
    /// The settings with some of them changed while running: all changes or, with <paramref name="errors"/>, none.
    /// A key that may not change is accepted with the value it has, so that a whole configuration can be sent back.
    /// </summary>
    /// <param name="changes">Keys and values as in a file.</param>
    /// <param name="request">The place of the new values: "updateBrokerConfig".</param>
    public bool TryApply(
        IEnumerable<KeyValuePair<string, string>> changes,
        string request,
        [NotNullWhen(true)] out EffectiveSettings? changed,
        out IReadOnlyList<SettingProblem> errors) =>
        SettingsChange.TryApply(_catalogue, this, changes, SettingPlace.Running(request), out changed, out errors);

    /// <summary>One line for each setting: <c>key = value  # place, default …</c>.</summary>
    public void WriteTable(TextWriter writer) => SettingsPrinter.WriteTable(this, writer);

    /// <summary>An object with the server's name and an array of settings with key, value, type, place and default.</summary>
    public void WriteJson(Stream stream) => SettingsPrinter.WriteJson(this, stream);

    /// <summary>All settings as key=value lines that RocketMQ's tools read. RocketMQ: GET_BROKER_CONFIG.</summary>
    public string ToProperties() => SettingsPrinter.ToProperties(this);

    internal void Add(EffectiveSetting setting) => _settings.Add(setting.Key, setting);

    internal IEnumerable<SettingProblem> FindBrokenRules()
    {
        foreach ((string key, Func<EffectiveSettings, string?> rule) in _catalogue.Rules)
        {
            if (rule(this) is { } expectation)
            {
                EffectiveSetting setting = Find(key);
                yield return new SettingProblem(key, setting.Text, $"expected {expectation}", setting.Place);
            }
        }
    }
}
