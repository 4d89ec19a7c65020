namespace GrayMQ.Settings;

/// <summary>Where a value can come from; a higher number overrides a lower one.</summary>
public enum SettingSource
{
    Default = 0,
    Environment = 1,
    File = 2,
    CommandLine = 3,
    Running = 4,
}
