namespace GrayMQ.Settings;

/// <summary>A key that RocketMQ knows and that has no meaning here; given, it costs a warning and nothing else.</summary>
/// <param name="Key">The key as RocketMQ spells it.</param>
/// <param name="Note">What the warning says beyond that, or null.</param>
public sealed record IgnoredKey(string Key, string? Note = null);
