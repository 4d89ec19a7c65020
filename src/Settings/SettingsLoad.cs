using System.Diagnostics.CodeAnalysis;

namespace GrayMQ.Settings;

/// <summary>The outcome of <see cref="SettingsCatalogue.Load"/>: settings or errors, and warnings in both cases.</summary>
public sealed class SettingsLoad
{
    private readonly string _server;

    internal SettingsLoad(
        string server,
        EffectiveSettings? settings,
        IReadOnlyList<SettingProblem> errors,
        IReadOnlyList<SettingProblem> warnings)
    {
        _server = server;
        Settings = settings;
        Errors = errors;
        Warnings = warnings;
    }

    /// <summary>Null when there are errors.</summary>
    public EffectiveSettings? Settings { get; }

    public IReadOnlyList<SettingProblem> Errors { get; }

    public IReadOnlyList<SettingProblem> Warnings { get; }

    [MemberNotNullWhen(true, nameof(Settings))]
    public bool Succeeded => Settings is not null;

    /// <exception cref="SettingsException">With all errors.</exception>
    public EffectiveSettings GetOrThrow() => Settings ?? throw new SettingsException(_server, Errors);
}
