namespace GrayMQ.Settings;

/// <summary>Where a value can come from; a higher number overrides a lower one.</summary>
public enum SettingSource
{
    Default = 0,

    /// <summary>A command that stands for several settings, such as standalone, and gives way to all that is said expressly.</summary>
    Profile = 1,
    Environment = 2,
    File = 3,
    CommandLine = 4,
    Running = 5,
}
