namespace GrayMQ.Settings;

/// <summary>One entry of a settings file, unescaped.</summary>
/// <param name="Key">The key; never empty.</param>
/// <param name="Value">The value; may be empty, may end in white space.</param>
/// <param name="Line">The line it starts on, counted from 1.</param>
/// <param name="LastLine">The line it ends on; greater than <paramref name="Line"/> when it is continued.</param>
public sealed record SettingsFileEntry(string Key, string Value, int Line, int LastLine);
