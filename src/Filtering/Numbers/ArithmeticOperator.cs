namespace GrayMQ.Filtering.Numbers;

public enum ArithmeticOperator : byte
{
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}
