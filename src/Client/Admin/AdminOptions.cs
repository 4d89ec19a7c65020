namespace GrayMQ.Client.Admin;

/// <summary>Settings of an <see cref="AdminClient"/>.</summary>
public sealed class AdminOptions : ClientOptions;
