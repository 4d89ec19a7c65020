namespace GrayMQ.Settings;

/// <summary>A key and a value as somebody wrote them somewhere.</summary>
internal readonly record struct GivenValue(string Key, string Value, SettingPlace Place);
