"""Training: made walls of random anatomy and contrast, and the network that learns from them.

Nothing here is shipped or needed at run time, see docs/segmentation.md. It needs Keras with
TensorFlow, and onnx, which are no requirements of the program:

    python -m training.make FOLDER PARTS       made walls, 4000 a part
    python -m training.fit FOLDER NET STEPS [START]
    python -m training.export NET imaging/segmentation/weights/wall.onnx
"""
