using System.Globalization;

namespace GrayMQ.Settings;

/// <summary>The place a value was written at, as a person would look for it.</summary>
/// <param name="Source">The kind of place.</param>
/// <param name="Name">The environment variable, the file, the option, or the request.</param>
/// <param name="Line">Line in the file, counted from 1; 0 where there are no lines.</param>
public readonly record struct SettingPlace(SettingSource Source, string Name, int Line = 0)
{
    public static SettingPlace Default => new(SettingSource.Default, "default");

    public static SettingPlace Profile(string name) => new(SettingSource.Profile, name);

    /// <summary>For values changed while running. RocketMQ: UPDATE_BROKER_CONFIG, UPDATE_NAMESRV_CONFIG.</summary>
    public static SettingPlace Running(string request) => new(SettingSource.Running, request);

    public static SettingPlace Variable(string name) => new(SettingSource.Environment, name);

    public static SettingPlace File(string path, int line) => new(SettingSource.File, path, line);

    public static SettingPlace Option(string option) => new(SettingSource.CommandLine, option);

    public override string ToString() => Line > 0
        ? string.Create(CultureInfo.InvariantCulture, $"{Name}:{Line}")
        : Source == SettingSource.Environment ? $"environment {Name}" : Name;
}
