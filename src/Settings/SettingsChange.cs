using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Settings;

/// <summary>Decides about a change while running.</summary>
internal static class SettingsChange
{
    public static bool TryApply(
        SettingsCatalogue catalogue,
        EffectiveSettings current,
        IEnumerable<KeyValuePair<string, string>> changes,
        SettingPlace place,
        [NotNullWhen(true)] out EffectiveSettings? changed,
        out IReadOnlyList<SettingProblem> errors)
    {
        var problems = new List<SettingProblem>();
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach ((string key, string text) in changes)
        {
            Take(catalogue, current, new GivenValue(key, text, place), values, problems);
        }
        changed = null;
        if (problems.Count == 0)
        {
            EffectiveSettings candidate = Resolve(catalogue, current, values, place);
            problems.AddRange(candidate.FindBrokenRules());
            changed = problems.Count == 0 ? candidate : null;
        }
        errors = problems;
        return changed is not null;
    }

    private static void Take(
        SettingsCatalogue catalogue,
        EffectiveSettings current,
        GivenValue given,
        Dictionary<string, object> values,
        List<SettingProblem> problems)
    {
        if (!catalogue.TryFind(given.Key, out SettingDefinition? definition))
        {
            problems.Add(catalogue.TryFindIgnored(given.Key, out _)
                ? new SettingProblem(
                    given.Key, given.Value, "a RocketMQ setting that has no meaning here, so there is nothing to change",
                    given.Place)
                : SettingsLoader.UnknownKey(catalogue, given));
        }
        else if (definition.Secret && given.Value.Trim() == EffectiveSetting.Masked)
        {
            // A configuration that was read with its secrets masked is sent back: nothing is to change here.
            values.Remove(definition.Key);
        }
        else if (!definition.TryParse(given.Value, out object? value, out string? problem))
        {
            problems.Add(SettingsLoader.InvalidValue(definition, given, problem!));
        }
        else if (IsSame(definition, current.Find(definition.Key).Value, value!))
        {
            values.Remove(definition.Key);
        }
        else if (!definition.ChangeableWhileRunning)
        {
            problems.Add(SettingsLoader.InvalidValue(
                definition, given,
                $"cannot be changed while the {catalogue.Server} runs (it is {current.Find(definition.Key).Text}); " +
                "change it in the configuration and restart"));
        }
        else
        {
            values[definition.Key] = value!;
        }
    }

    /// <summary>A default that follows another setting follows it only where it may change while running itself.</summary>
    private static EffectiveSettings Resolve(
        SettingsCatalogue catalogue, EffectiveSettings current, Dictionary<string, object> values, SettingPlace place)
    {
        var changed = new EffectiveSettings(catalogue);
        foreach (SettingDefinition definition in catalogue.Definitions)
        {
            EffectiveSetting before = current.Find(definition.Key);
            if (values.TryGetValue(definition.Key, out object? value))
            {
                changed.Add(new EffectiveSetting(definition, value, definition.DefaultValue(changed), place));
            }
            else if (before.Place.Source == SettingSource.Default
                && definition.IsDerived && definition.ChangeableWhileRunning)
            {
                object derived = definition.DefaultValue(changed);
                changed.Add(new EffectiveSetting(definition, derived, derived, before.Place));
            }
            else
            {
                changed.Add(before);
            }
        }
        return changed;
    }

    private static bool IsSame(SettingDefinition definition, object a, object b) =>
        string.Equals(definition.Format(a), definition.Format(b), StringComparison.Ordinal);
}
