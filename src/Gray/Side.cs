namespace GrayMQ.Gray;

/// <summary>Which version of a service a client, a message or a queue belongs to. The numbers are on disk.</summary>
public enum Side
{
    Normal = 0,
    Gray = 1,
}
