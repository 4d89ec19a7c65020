namespace GrayMQ.Settings;

/// <summary>The value of one setting, and where it came from.</summary>
public sealed class EffectiveSetting
{
    internal const string Masked = "******";

    internal EffectiveSetting(SettingDefinition definition, object value, object byDefault, SettingPlace place)
    {
        Definition = definition;
        Value = value;
        Default = byDefault;
        Place = place;
    }

    public SettingDefinition Definition { get; }

    public string Key => Definition.Key;

    public SettingPlace Place { get; }

    /// <summary>The value as it is written in a file; secrets are masked.</summary>
    public string Text => Shown(Value);

    /// <summary>The default as it is written in a file; secrets are masked.</summary>
    public string DefaultText => Shown(Default);

    internal object Value { get; }

    internal object Default { get; }

    private string Shown(object value)
    {
        string text = Definition.Format(value);
        return Definition.Secret && text.Length > 0 ? Masked : text;
    }
}
