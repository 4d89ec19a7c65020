namespace GrayMQ.Settings;

/// <summary>A setting whose value is a <typeparamref name="T"/>.</summary>
public sealed record SettingDefinition<T> : SettingDefinition
    where T : notnull
{
    internal SettingDefinition(string key, T defaultValue, string description, ValueSyntax<T> syntax)
        : base(key, description)
    {
        Default = defaultValue;
        Syntax = syntax;
    }

    /// <summary>The value when nobody gives one and <see cref="Derive"/> is null.</summary>
    public T Default { get; }

    /// <summary>
    /// Computes the default from settings that are defined earlier in the catalogue (a folder below storePathRootDir, the
    /// port after listenPort).
    /// </summary>
    public Func<EffectiveSettings, T>? Derive { get; init; }

    /// <summary>Says what is wrong with a value of the right type and range, or null: words that follow "expected ".</summary>
    public Func<T, string?>? Check { get; init; }

    public override string TypeName => Syntax.TypeName;

    public override string Expectation => Syntax.Expectation;

    internal ValueSyntax<T> Syntax { get; }

    internal override bool IsDerived => Derive is not null;

    internal override object DefaultValue(EffectiveSettings settings) => Derive is null ? Default : Derive(settings);

    internal override bool TryParse(string text, out object? value, out string? problem)
    {
        value = null;
        if (!Syntax.TryParse(text.Trim(), out T? parsed))
        {
            problem = $"expected {Expectation}";
            return false;
        }
        if (Check?.Invoke(parsed!) is { } expectation)
        {
            problem = $"expected {expectation}";
            return false;
        }
        value = parsed;
        problem = null;
        return true;
    }

    internal override string Format(object value) => Syntax.Format((T)value);
}
