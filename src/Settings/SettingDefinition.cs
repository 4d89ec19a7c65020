namespace GrayMQ.Settings;

/// <summary>What one setting is called, means, and may be. Made by <see cref="Setting"/>.</summary>
public abstract record SettingDefinition
{
    private protected SettingDefinition(string key, string description)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        ArgumentException.ThrowIfNullOrWhiteSpace(description);
        Key = key;
        Description = description;
    }

    /// <summary>The key as RocketMQ spells it.</summary>
    public string Key { get; }

    /// <summary>One sentence for the person who reads --print-config or the documentation.</summary>
    public string Description { get; }

    /// <summary>Unit of a number: "ms", "bytes", "messages"; null where there is none.</summary>
    public string? Unit { get; init; }

    /// <summary>Whether a running server takes a new value. RocketMQ: UPDATE_BROKER_CONFIG.</summary>
    public bool ChangeableWhileRunning { get; init; }

    /// <summary>A secret is never printed, neither in tables nor in errors.</summary>
    public bool Secret { get; init; }

    /// <summary>The kind of value in a word: boolean, integer, number, text, choice, list.</summary>
    public abstract string TypeName { get; }

    /// <summary>What a value has to be, to follow the words "expected …" in an error.</summary>
    public abstract string Expectation { get; }

    internal abstract bool IsDerived { get; }

    internal abstract object DefaultValue(EffectiveSettings settings);

    /// <summary>The value, or what is wrong with the text in words that follow "key=text: ".</summary>
    internal abstract bool TryParse(string text, out object? value, out string? problem);

    /// <summary>The value as it is written in a file; parsing it gives the value again.</summary>
    internal abstract string Format(object value);
}
