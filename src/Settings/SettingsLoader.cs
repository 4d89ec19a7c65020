namespace GrayMQ.Settings;

/// <summary>Brings the sources into their order and works out each value, collecting all that is wrong on the way.</summary>
internal sealed class SettingsLoader
{
    private readonly SettingsCatalogue _catalogue;
    private readonly List<SettingProblem> _errors = [];
    private readonly List<SettingProblem> _warnings = [];
    private readonly Dictionary<SettingDefinition, (object Value, SettingPlace Place)> _given =
        new(ReferenceEqualityComparer.Instance);

    private SettingsLoader(SettingsCatalogue catalogue) => _catalogue = catalogue;

    public static SettingsLoad Load(SettingsCatalogue catalogue, SettingsSources sources)
    {
        var loader = new SettingsLoader(catalogue);
        foreach (GivenValue given in sources.ProfileValues)
        {
            loader.Take(given);
        }
        foreach (GivenValue given in new EnvironmentReader(catalogue, sources.Variables).Read(loader._warnings))
        {
            loader.Take(given);
        }
        foreach (SettingsFile file in sources.Files)
        {
            loader._errors.AddRange(file.Problems);
            loader.WarnOfRepeatedKeys(file);
            foreach (SettingsFileEntry entry in file.Entries)
            {
                loader.Take(new GivenValue(entry.Key, entry.Value, SettingPlace.File(file.Path, entry.Line)));
            }
        }
        loader._errors.AddRange(sources.Problems);
        foreach (GivenValue given in sources.Options)
        {
            loader.Take(given);
        }
        EffectiveSettings? settings = loader._errors.Count == 0 ? loader.Resolve() : null;
        return new SettingsLoad(
            catalogue.Server, loader._errors.Count == 0 ? settings : null, loader._errors, loader._warnings);
    }

    private void Take(GivenValue given)
    {
        if (_catalogue.TryFind(given.Key, out SettingDefinition? definition))
        {
            if (definition.TryParse(given.Value, out object? value, out string? problem))
            {
                _given[definition] = (value!, given.Place);
            }
            else
            {
                _errors.Add(InvalidValue(definition, given, problem!));
            }
        }
        else if (_catalogue.TryFindIgnored(given.Key, out IgnoredKey? ignored))
        {
            string note = ignored.Note is null ? "" : $" ({ignored.Note})";
            _warnings.Add(new SettingProblem(
                given.Key, null, $"a RocketMQ setting that has no meaning here and is ignored{note}", given.Place));
        }
        else
        {
            _errors.Add(UnknownKey(_catalogue, given));
        }
    }

    public static SettingProblem InvalidValue(SettingDefinition definition, GivenValue given, string problem) =>
        new(given.Key, definition.Secret ? EffectiveSetting.Masked : given.Value, problem, given.Place);

    public static SettingProblem UnknownKey(SettingsCatalogue catalogue, GivenValue given)
    {
        string hint = catalogue.FindNearest(given.Key) is { } nearest ? $"; did you mean {nearest}?" : "";
        return new SettingProblem(
            given.Key, given.Value, $"unknown setting, expected a key of the {catalogue.Server}{hint}", given.Place);
    }

    /// <summary>Java reads over a repeated key without a word, and the last one counts.</summary>
    private void WarnOfRepeatedKeys(SettingsFile file)
    {
        var seen = new Dictionary<string, SettingsFileEntry>(StringComparer.Ordinal);
        foreach (SettingsFileEntry entry in file.Entries)
        {
            if (seen.TryGetValue(entry.Key, out SettingsFileEntry? earlier) && earlier.Value != entry.Value)
            {
                _warnings.Add(new SettingProblem(
                    entry.Key, null, $"given again, the value of line {earlier.Line} does not count",
                    SettingPlace.File(file.Path, entry.Line)));
            }
            seen[entry.Key] = entry;
        }
    }

    private EffectiveSettings Resolve()
    {
        var settings = new EffectiveSettings(_catalogue);
        foreach (SettingDefinition definition in _catalogue.Definitions)
        {
            object byDefault = definition.DefaultValue(settings);
            (object value, SettingPlace place) = _given.TryGetValue(definition, out var given)
                ? given
                : (byDefault, SettingPlace.Default);
            settings.Add(new EffectiveSetting(definition, value, byDefault, place));
        }
        _errors.AddRange(settings.FindBrokenRules());
        return settings;
    }
}
